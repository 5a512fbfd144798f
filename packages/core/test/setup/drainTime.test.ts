import { describe, expect, test, vi } from "vitest"
import { run } from "./run.ts"

vi.setConfig({ testTimeout: 30_000 })

const timeouts = { grace: "2 seconds", close: "7 seconds" }
const fly = { FLY_APP_NAME: "shop" }
const heroku = { DYNO: "web.1" }

describe("SOJOURN_DRAIN_TOO_LONG", () => {
  test("is told when the handlers are set up, for a registry that is there", async () => {
    const { result, findings, warnings, stderr } = await run(
      "drain",
      { finishWithin: "1 second", timeouts },
      fly,
    )
    expect(result).toBe(1)
    expect(findings.map(({ code, evidence }) => [code, evidence])).toEqual([
      [
        "SOJOURN_DRAIN_TOO_LONG",
        'A drain of "notebook" may take 10 s (1 s of finishWithin, 9 s of grace and close). Fly.io waits, unless told otherwise, 5 s.',
      ],
    ])
    expect(warnings).toHaveLength(1)
    expect(stderr).toContain("SOJOURN_PLATFORM_GRACE")
  })

  test("is told for a registry that is made later", async () => {
    const { result, findings } = await run("drain", { timeouts, when: "after" }, fly)
    expect([result, findings.length]).toEqual([0, 1])
  })

  test("not once the handlers are gone", async () => {
    const { findings, stderr } = await run("drain", { timeouts, when: "disposed" }, fly)
    expect([findings, stderr]).toEqual([[], ""])
  })

  test("of the registries that are named only those count, and one whose times nobody knows does not", async () => {
    const given = await run("drain", { timeouts, when: "given" }, fly)
    expect(given.findings[0]?.evidence).toContain('A drain of "given" may take 19 s')
    const { findings } = await run("drain", { timeouts, when: "others", finishWithin: 0 }, heroku)
    expect(findings).toEqual([])
  })

  test("not where it ends in time: the defaults, and as long as the platform waits", async () => {
    expect((await run("drain", {}, heroku)).findings).toEqual([])
    expect((await run("drain", { finishWithin: 10_001 }, heroku)).findings).toHaveLength(1)
  })

  test("not where no platform is recognised, whatever the drain may take", async () => {
    // Also in a container: what Docker would signal is its first process, and this is another.
    const { findings, stderr } = await run("drain", { finishWithin: "Infinity" })
    expect([findings, stderr]).toEqual([[], ""])
  })

  test("SOJOURN_PLATFORM_GRACE says it outright; a text that is no time is told, and stops nothing", async () => {
    const env = (grace: string): Record<string, string> => ({ ...fly, SOJOURN_PLATFORM_GRACE: grace })
    expect((await run("drain", {}, env("1 minute"))).findings).toEqual([])
    const short = await run("drain", {}, env("20 seconds"))
    expect(short.findings[0]?.evidence).toContain("SOJOURN_PLATFORM_GRACE is 20 s.")
    const wrong = await run("drain", {}, env("20s"))
    expect(wrong.findings[0]?.evidence).toContain('SOJOURN_PLATFORM_GRACE is "20s", which is no time')
  })

  test("can be silenced", async () => {
    for (const words of ["off", "SOJOURN_DRAIN_TOO_LONG"]) {
      const { findings, stderr } = await run("drain", {}, { ...fly, SOJOURN_SETUP_CHECKS: words })
      expect([findings, stderr]).toEqual([[], ""])
    }
  })
})
