import { describe, expect, test, vi } from "vitest"
import { Closing } from "../../src/session/Closing.ts"
import { checkLaws } from "../../src/testing.ts"

describe("checkLaws", () => {
  test("L3 L5 L6 L9: the engine keeps the laws under options of one's own", async () => {
    const policy = { concurrency: 2, maxSessions: 2, maxQueued: 1 }
    await expect(checkLaws({ schedules: 30, seed: 5000, policy })).resolves.toBeUndefined()
  }, 60_000)

  test("L8: an engine that does not is found: the law, the seed and what happened are told", async () => {
    // Nothing is ever closed for being idle.
    const broken = vi.spyOn(Closing.prototype, "idleDue").mockImplementation(() => {})
    try {
      const error = await checkLaws({ schedules: 60 }).catch((thrown: unknown) => thrown)
      expect(String(error)).toMatch(/^Error: L\d+ .*\nThis is seed \d+\. What happened:\n +\d+ {2}/)
      const seed = Number(/seed (\d+)/.exec(String(error))?.[1])
      await expect(checkLaws({ schedules: 1, seed })).rejects.toThrow(String(error).slice("Error: ".length))
    } finally {
      broken.mockRestore()
    }
  }, 60_000)

  test.each([
    { schedules: 0 },
    { seed: -1 },
    { policy: { idleTimeout: 5 } },
    { policy: { concurrency: 0 } },
    { policies: {} },
  ])("L17: %o is refused", async (options) => {
    await expect(checkLaws(options)).rejects.toMatchObject({ _tag: "SessionMisuse", reason: "InvalidOption" })
  })
})
