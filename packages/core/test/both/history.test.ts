import { describe, expect, test } from "vitest"
import type { SessionFact } from "../../src/observe/Explanation.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { losing } from "../support/losing.ts"
import { leaking } from "../support/leaking.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial
const told = (facts: ReadonlyArray<SessionFact>): ReadonlyArray<string> =>
  facts.map(({ at, detail, serial: number, what }) =>
    [`${at} #${number} ${what}`, detail].filter((part) => part !== undefined).join(": "),
  )

describe.each(faces)("$face", ({ world }) => {
  const make = losing(world)

  test("L18: an uneventful life is told from what is kept anyway, over its stays, oldest first", async () => {
    const { clock, sessions } = make({ idleTimeout: 1000 }, () => settle())
    const history = (): ReadonlyArray<string> => told(sessions.explain("a").history)
    expect(history()).toEqual([])
    const first = sessions.run("a", serial)
    expect(history()).toEqual(["0 #1 Opening"])
    await first
    await clock.advance(500)
    expect(history()).toEqual(["0 #1 Opened"])
    await clock.advance(500)
    expect(history()).toEqual(["0 #1 Opened", "1000 #1 Closed: Idle"])
    await clock.advance(1000)
    await sessions.run("a", serial)
    await sessions.close("a")
    expect(history()).toEqual([
      "0 #1 Opened",
      "1000 #1 Closed: Idle",
      "2000 #2 Opened",
      "2000 #2 Closed: Requested",
    ])
    // Another key has a life of its own.
    await sessions.run("b", serial)
    expect(told(sessions.explain("b").history)).toEqual(["2000 #3 Opened"])
    expect(history()).toHaveLength(4)
  })

  test("L18: after something went wrong every step is there, with what it went wrong with", async () => {
    const w = make({ restart: { times: 2, delay: 1000 }, idleTimeout: 60_000 }, ({ key, serial: number }) => {
      if (key === "a" && number === 2) throw new Error("no database")
    })
    const { clock, lose, sessions, use } = w
    use()
    await clock.advance(100)
    await lose("a", 900)
    // The first rebuild comes at once, and fails; the one after waits.
    use()
    await clock.advance(1000)
    use()
    await clock.advance(1000)
    await lose("a", 1000)
    use()
    await clock.advance(2000)
    await lose("a", 0)
    const explanation = sessions.explain("a")
    expect(explanation.state).toBe("Quarantined")
    expect(told(explanation.history)).toEqual([
      "0 #1 Opened",
      "100 #1 Lost: by task: lost",
      "100 #1 Closing: Broken",
      "100 #1 Closed: Broken",
      "1000 #2 Opening",
      "1000 #2 OpenFailed: no database",
      "1000 #2 Closed: OpenFailed",
      "2000 #3 Opening",
      "2000 #3 Opened",
      "3000 #3 Lost: by task: lost",
      "3000 #3 Closing: Broken",
      "3000 #3 Closed: Broken",
      "4000 #4 Opening",
      "4000 #4 Opened",
      "6000 #4 Lost: by task: lost",
      "6000 #4 Closing: RestartLimit",
      "6000 #4 Closed: RestartLimit",
      "6000 #4 Quarantined",
    ])
    expect(explanation.history.at(-1)).toMatchObject({ generation: 4, serial: 4, detail: undefined })
  })

  test("L18: who found out is part of it: the resource, a probe, a watchdog; and turns that were abandoned", async () => {
    const w = make(
      { timeouts: { silence: 1000, grace: 100, close: 300 }, restart: { delay: 0 } },
      (opening) => {
        if (opening.key === "probed") opening.probe(() => false, { every: 500 })
      },
    )
    const { clock, sessions } = w
    await sessions.run("resource", (thing) => void clock.after(10).then(() => thing.opening.broken("gone")))
    await sessions.run("probed", serial)
    watch(
      clock,
      sessions.run("hung", () => gate().promise, { name: "never ends" }),
    )
    await clock.advance(2000)
    const lost = (key: string): ReadonlyArray<string> =>
      told(sessions.explain(key).history).filter((line) => /Lost|Abandoned/.test(line))
    expect(lost("resource")).toEqual(["10 #1 Lost: by resource: gone"])
    expect(lost("probed")).toEqual(["500 #2 Lost: by probe: The probe gave false."])
    expect(lost("hung")).toEqual([
      "1100 #3 Abandoned: never ends: Silent",
      "1100 #3 Lost: by watchdog: No turn could be brought to an end.",
    ])
  })

  test("L18: a resource that retires, and one that leaks and ends after all", async () => {
    const w = leaking(world)({ maxTurns: 2 })
    const { clock, ends, sessions, use } = w
    await sessions.run("a", (thing) => thing.opening.broken("dead"))
    await clock.advance(300)
    ends(1)
    await clock.advance(100)
    use()
    use()
    await clock.advance(400)
    expect(told(sessions.explain("a").history)).toEqual([
      "0 #1 Opened",
      "0 #1 Lost: by task: dead",
      "0 #1 Closing: Broken",
      "300 #1 Closed: Broken, leaked",
      "300 #1 LeakEnded",
      "400 #2 Opening",
      "400 #2 Opened",
      "400 #2 Retiring",
      "400 #2 Closing: Recycled",
      "700 #2 Closed: Recycled, leaked",
    ])
  })

  test("L18: a history is in the order of time, also when a leak ends in a later stay", async () => {
    const { clock, ends, sessions, use } = leaking(world)({})
    use()
    await clock.advance(0)
    void sessions.close("a")
    await clock.advance(1000)
    use()
    await clock.advance(1000)
    ends(1)
    await clock.advance(1000)
    const { history } = sessions.explain("a")
    expect(history.map(({ at }) => at)).toEqual(
      history.map(({ at }) => at).toSorted((one, other) => one - other),
    )
    expect(told(history)).toEqual([
      "0 #1 Opened",
      "300 #1 Closed: Requested, leaked",
      "1000 #2 Opened",
      "2000 #1 LeakEnded",
    ])
  })

  test("L18: every error of ours carries it, as it was when the error was first read", async () => {
    const { clock, lose, sessions, use } = make({ restart: { times: 0 } })
    await lose("a", 0)
    const refused = use()
    await clock.advance(0)
    expect(refused.outcome).toBe("SessionRefused Quarantined")
    const { history } = fieldOf(refused, "explanation") as { history: ReadonlyArray<SessionFact> }
    expect(history.map(({ what }) => what)).toEqual(["Opened", "Lost", "Closing", "Closed", "Quarantined"])
    await sessions.restart("a")
    use()
    await clock.advance(0)
    expect(fieldOf(refused, "explanation")).toMatchObject({ history })
    // Lifted, the key has not lost its past.
    expect(told(sessions.explain("a").history).at(-1)).toContain("#2 Opened")
    expect(sessions.explain("a").history).toHaveLength(6)

    const fails = make({}, () => {
      throw new Error("no database")
    })
    const failed = fails.use()
    await settle()
    expect(fieldOf(failed, "explanation")).toMatchObject({
      history: [{ what: "OpenFailed", detail: "no database" }, { what: "Closed" }],
    })
  })

  test("L18: what is given out is a copy: it neither grows nor can be written to", async () => {
    const { lose, sessions } = make({ restart: { times: 5, delay: 0 } })
    await lose("a", 0)
    const before = sessions.explain("a")
    const length = before.history.length
    ;(before.history as Array<SessionFact>).length = 0
    expect(sessions.explain("a").history).toHaveLength(length)
    const again = sessions.explain("a")
    await lose("a", 10)
    expect(again.history).toHaveLength(length)
    expect(sessions.explain("a").history.length).toBeGreaterThan(length)
  })
})
