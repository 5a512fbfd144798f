import { spawn } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { faults } from "../src/faults.ts"
import type { Report } from "../src/report.ts"

const program = join(import.meta.dirname, "../src/main.ts")

/** A process of its own, as `pnpm chaos` starts it. */
const chaos = async (
  ...flags: ReadonlyArray<string>
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> => {
  const child = spawn(process.execPath, ["--expose-gc", program, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  const text = async (stream: AsyncIterable<Buffer>): Promise<string> => {
    const parts: Array<Buffer> = []
    for await (const part of stream) parts.push(part)
    return Buffer.concat(parts).toString()
  }
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once("close", resolve)),
  ])
  return { code, out, err }
}

describe("chaos", () => {
  it("a short run finds nothing, and did what it says", { timeout: 120_000 }, async () => {
    const { code, err, out } = await chaos("--seconds", "12", "--seed", "2", "--json")
    expect(err).toMatch(/^chaos: seed 2, 12 s\n/)
    const report = JSON.parse(out) as Report
    expect([...report.violations, ...report.trace]).toEqual([])
    expect(code).toBe(0)
    expect(report.tasks).toBeGreaterThan(500)
    const fired = report.faults.filter(([, count]) => count > 0)
    expect(fired.length).toBeGreaterThan(faults.length / 2)
    expect(report.generations).toBeGreaterThan(50)
  })
  it("a wrong flag is said, and nothing is run", async () => {
    const { code, err, out } = await chaos("--minutes", "many")
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(err).toContain("--minutes many: not a number above 0")
  })
  it("--help says what there is", async () => {
    const { code, out } = await chaos("--help")
    expect(code).toBe(0)
    for (const flag of ["--minutes", "--seconds", "--seed", "--json"]) expect(out).toContain(flag)
  })
})
