import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, test } from "vitest"

// In a process of its own: a snapshot of this one, with the whole test runner in it, would stop it for seconds.
test("a snapshot is complete, comes in pieces, one at a time, and is let go when nobody wants it", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, "heapProgram.ts")],
    {
      timeout: 60_000,
    },
  )
  const seen = JSON.parse(stdout) as Record<string, unknown>
  expect(seen).toMatchObject({
    during: { busy: "Busy", profiling: "a heap snapshot" },
    has: true,
    isSnapshot: true,
    abortedWith: "Error: enough",
    low: "LowMemory",
  })
  for (const freed of ["afterwards", "afterCancel", "afterAbort", "afterForced"])
    expect(seen).not.toHaveProperty(freed)
  expect(seen["pieces"]).toBeGreaterThan(10)
  expect(seen["longest"]).toBeLessThanOrEqual(65_536)
  const cost = seen["cost"] as {
    readonly fileBytes: number
    readonly heapBytes: number
    readonly pauseMs: number
  }
  expect(cost.heapBytes).toBeGreaterThan(1_000_000)
  expect(cost.pauseMs).toBeGreaterThan(0)
})
