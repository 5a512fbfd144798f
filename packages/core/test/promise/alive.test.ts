import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, test } from "vitest"

const program = `${import.meta.dirname}/aliveProgram.ts`
/** What it said, and how many milliseconds it lived. It ends by itself, or this rejects. */
const run = async (
  scenario: string,
): Promise<{ readonly said: ReadonlyArray<unknown>; readonly lived: number }> => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, scenario], { timeout: 20_000 })
  const lines = stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line))
  const { lived } = lines.pop() as { readonly lived: number }
  return { said: lines, lived }
}

describe("L8: the process", () => {
  test.each([
    ["an unused registry", "unused", []],
    ["an idle session", "idle", ["served"]],
    ["a lease that nobody uses", "lease", ["held"]],
    ["a turn that will never end and for whom nobody has set a limit", "hung", []],
  ])("L8: %s does not keep it alive", { timeout: 30_000 }, async (_, scenario, said) => {
    const { lived, said: really } = await run(scenario)
    expect(really).toEqual(said)
    expect(lived).toBeLessThan(1000)
  })

  test.each([
    ["for its own timeout", "timeout", 200, ["Timeout"]],
    ["for a turn", "queue", 300, ["QueueTimeout"]],
    ["for a seat", "seat", 260, ["MaxSessions"]],
    ["for a back-off", "backoff", 125, ["Failed"]],
    ["for a drain", "drain", 200, ["Drained", "served"]],
  ])(
    "L5: a caller who waits %s keeps it alive until it is told, and no longer",
    { timeout: 30_000 },
    async (_, scenario, waits, said) => {
      const { lived, said: really } = await run(scenario)
      expect(really).toEqual(said)
      expect(lived).toBeGreaterThanOrEqual(waits - 5)
      expect(lived).toBeLessThan(2000)
    },
  )
})
