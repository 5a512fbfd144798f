import { execFile } from "node:child_process"
import { describe, expect, test } from "vitest"

const program = `${import.meta.dirname}/heapProgram.ts`

interface End {
  readonly said: string
  readonly complained: string
  readonly failed: boolean
}
const run = (maxHeap: number): Promise<End> =>
  new Promise((resolve) => {
    const args = ["--max-old-space-size=96", program, String(maxHeap)]
    execFile(process.execPath, args, { timeout: 30_000 }, (error, said, complained) =>
      resolve({ said, complained, failed: error !== null }),
    )
  })

describe.concurrent(
  "a heap of 96 MB, and sessions that would need twice as much",
  { timeout: 40_000 },
  () => {
    test("L9: with maxHeap 0.7 the process lives: it evicts, and refuses what does not fit", async () => {
      const { said, complained, failed } = await run(0.7)
      expect({ failed, complained }).toEqual({ failed: false, complained: "" })
      const counts = JSON.parse(said) as Record<string, number>
      expect(Object.keys(counts).toSorted()).toEqual(["Evicted", "MaxHeap", "served"])
      expect(counts["Evicted"]).toBeGreaterThan(5)
      expect(counts["MaxHeap"]).toBeGreaterThan(0)
      expect(counts["served"]).toBeGreaterThan(30)
      expect((counts["served"] ?? 0) + (counts["MaxHeap"] ?? 0)).toBe(70)
    })

    test("L9: without it the same program dies for want of memory", async () => {
      const { said, complained, failed } = await run(1)
      expect([failed, said]).toEqual([true, ""])
      expect(complained).toContain("heap out of memory")
    })
  },
)
