import { describe, expect, test } from "vitest"
import type { ProbeOptions } from "../../src/SessionOptions.ts"
import type { Opening, ProbeContext } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing, type World } from "../support/ledger.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

type Answer = (context: ProbeContext, opening: Opening) => unknown
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  /** Every generation has this probe; `asked` says of which, why and when it was asked. */
  const probing = (answer: Answer = () => true, options?: ProbeOptions, policy: Policy = {}) => {
    const asked: Array<string> = []
    const signals: Array<AbortSignal> = []
    const w: World<Thing> = world(policy, (opening) =>
      opening.probe((context) => {
        signals.push(context.signal)
        asked.push(`${opening.key}#${opening.serial} ${context.why} at ${w.clock.now}`)
        return answer(context, opening)
      }, options),
    )
    const use = (key = "a"): Watched => watch(w.clock, w.sessions.run(key, serial))
    return { ...w, asked, signals, use }
  }

  test("L13, L21: a probe past its timeout that never ends: lost once, leaked at the close deadline, who waits is served then", async () => {
    const answer = gate<boolean>()
    const w = probing((_, opening) => (opening.serial === 1 ? answer.promise : true), { timeout: 2000 })
    const { clock, events, sessions, signals, use } = w
    use()
    await clock.advance(10_001)
    const waits = [use(), use()]
    await clock.advance(2000)
    expect(signals[0]?.aborted).toBe(true)
    expect(sessions.explain("a").state).toBe("Restarting")
    expect(sessions.explain("a").tasks).toMatchObject([{ waitsFor: "restart" }, { waitsFor: "restart" }])
    await clock.advance(14_999)
    expect(waits.map((call) => call.outcome)).toEqual(["pending", "pending"])
    await clock.advance(1)
    expect(waits).toMatchObject([
      { outcome: "value 2", at: 27_001 },
      { outcome: "value 2", at: 27_001 },
    ])
    answer.open(false)
    await clock.advance(0)
    expect(events.filter((event) => event._tag === "Lost")).toMatchObject([{ by: "probe", at: 12_001 }])
    expect(events.at(-1)).toMatchObject({ _tag: "LeakEnded", session: { serial: 1 } })
    expect(sessions.explain("a")).toMatchObject({ state: "Ready", restarts: { left: 4 } })
    await expectNothingLeft(w)
  })

  test("L13, L23: its timeout is loop time: a loop that stands still takes nothing from it", async () => {
    const { clock, signals, story, use } = probing(({ signal }) => untilStopped(signal), { timeout: 1000 })
    use()
    await clock.advance(10_001)
    const waits = use()
    await clock.advance(100)
    await clock.stall(5000)
    await clock.stall(5000)
    await clock.advance(700)
    expect([story().includes("Lost"), signals.length]).toEqual([false, 1])
    await clock.advance(200)
    expect(story()).toContain("Lost")
    expect(waits.outcome).toBe("value 2")
  })

  test("L14, L22: while draining, a nested call still waits for the probe and is served", async () => {
    const answer = gate()
    const w = probing((_, { key }) => (key === "a" ? answer.promise : true))
    const { asked, clock, sessions, use } = w
    use()
    await clock.advance(10_001)
    const outer = watch(
      clock,
      sessions.run("b", () => sessions.run("a", serial)),
    )
    await clock.advance(0)
    expect(asked).toEqual(["a#1 BeforeTurn at 10001"])
    const drained = watch(clock, sessions.drain())
    const refused = use()
    await clock.advance(100)
    expect([outer.outcome, drained.outcome, refused.outcome]).toEqual([
      "pending",
      "pending",
      "SessionRefused Draining",
    ])
    answer.open()
    await clock.advance(0)
    expect([outer.outcome, outer.at, drained.at]).toEqual(["value 1", 10_101, 10_101])
    expect(drained.value).toMatchObject({ finished: 2, cut: [], leaked: [] })
  })

  test("L14: a drain that is cut while a probe runs ends within its bound", async () => {
    const { clock, sessions, use } = probing(() => new Promise(() => {}), {}, { timeouts: { close: 3000 } })
    use()
    await clock.advance(10_001)
    const outer = watch(
      clock,
      sessions.run("b", () => sessions.run("a", serial)),
    )
    await clock.advance(0)
    const drained = watch(clock, sessions.drain({ finishWithin: 500 }))
    await clock.advance(500)
    expect(outer.outcome).toMatch(/SessionRefused Draining|TaskStopped/)
    await clock.advance(3000)
    expect(drained).toMatchObject({ at: 13_501, value: { leaked: [{ key: "a" }] } })
  })
})
