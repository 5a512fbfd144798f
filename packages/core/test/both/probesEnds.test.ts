import { describe, expect, test } from "vitest"
import type { ProbeOptions } from "../../src/SessionOptions.ts"
import type { Opening, ProbeContext } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
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

  test("L8: a probe is no use: asked more often than idleTimeout, slow or after an error, the session still idles out", async () => {
    const w: ReturnType<typeof probing> = probing(
      () => w.clock.after(50),
      { every: 100 },
      { idleTimeout: 1000 },
    )
    const { asked, clock, sessions, story, use } = w
    use()
    await clock.advance(999)
    expect(sessions.explain("a")).toMatchObject({ state: "Ready", alive: [], closesAt: 1000 })
    expect(asked).toHaveLength(6)
    await clock.advance(1)
    expect(story().slice(2)).toEqual(["Closing Idle"])
    await clock.advance(50)
    expect(story().at(-1)).toBe("Closed Idle")
    watch(
      clock,
      sessions.run("a", () => Promise.reject(new Error("fails"))),
    )
    const since = clock.now
    await clock.advance(100)
    expect(asked.at(-1)).toMatch(/AfterError/)
    expect(sessions.explain("a").closesAt).toBe(since + 1000)
    await clock.advance(900)
    expect(story().at(-1)).toMatch(/Closing Idle|Closed Idle/)
  })

  test("L8: who only waited for a probe and left is a use: idle counts from then", async () => {
    const answer = gate()
    const { clock, sessions, use } = probing(() => answer.promise, {}, { idleTimeout: 20_000 })
    use()
    await clock.advance(15_000)
    const left = watch(clock, sessions.run("a", serial, { timeout: 1000 }))
    await clock.advance(3000)
    expect(left).toMatchObject({ outcome: "TaskStopped Timeout", at: 16_000 })
    answer.open()
    await clock.advance(17_999)
    expect(sessions.explain("a").state).toBe("Ready")
    await clock.advance(1)
    expect(sessions.explain("a").state).toBe("Closed")
  })

  test("L9: a probed session is evicted, also just while it is probed, and probes make no session more recent", async () => {
    const w: ReturnType<typeof probing> = probing(
      ({ signal }, { key }) => (key === "b" ? untilStopped(signal) : true),
      { every: 100 },
      { maxSessions: 2 },
    )
    const { asked, clock, signals, sessions, story, use } = w
    use("a")
    await clock.advance(50)
    use("b")
    await clock.advance(120)
    expect(asked).toEqual(["a#1 Interval at 100", "b#2 Interval at 150"])
    const third = use("c")
    await clock.advance(0)
    expect(third.outcome).toBe("value 3")
    expect([sessions.explain("a").ended?.reason, sessions.explain("b").state]).toEqual(["Evicted", "Ready"])
    const fourth = use("a")
    await clock.advance(0)
    expect(signals[1]?.aborted).toBe(true)
    expect(sessions.explain("b").ended?.reason).toBe("Evicted")
    expect(fourth.outcome).toBe("value 4")
    expect(story()).not.toContain("Lost")
    await expectNothingLeft(w)
  })

  const ends: ReadonlyArray<readonly [string, (w: World<Thing>) => unknown, Policy, string, string]> = [
    ["an idle close", () => {}, { idleTimeout: 1500 }, "Idle", "nobody"],
    ["close", ({ sessions }) => sessions.close("a"), {}, "Requested", "SessionRefused Closed"],
    [
      "close that would let turns finish",
      ({ sessions }) => sessions.close("a", { finishWithin: 10_000 }),
      {},
      "Requested",
      "SessionRefused Closed",
    ],
    ["restart", ({ sessions }) => sessions.restart("a"), {}, "Restarted", "value 2"],
    ["maxAge", () => {}, { maxAge: 1500 }, "Recycled", "value 2"],
    ["drain", ({ sessions }) => sessions.drain(), {}, "Drained", "SessionRefused Draining"],
  ]
  /** A probe is under way since 1000; the end comes at 1500. `waits`: so does a turn. */
  const endsWhileProbed = async (
    answer: Answer,
    [, end, policy]: (typeof ends)[number],
    waits: boolean,
  ): Promise<ReturnType<typeof probing> & { turn: Watched | undefined }> => {
    const w = probing(
      (context, opening) => (opening.serial === 1 ? answer(context, opening) : true),
      { every: 1000 },
      { timeouts: { close: 3000 }, ...policy },
    )
    w.use()
    await w.clock.advance(1400)
    const turn = waits && policy.idleTimeout === undefined ? w.use() : undefined
    await w.clock.advance(99)
    expect(turn?.outcome ?? "pending").toBe("pending")
    await w.clock.advance(1)
    void end(w)
    await settle()
    expect(w.signals.map((signal) => signal.aborted)).toEqual([true])
    await w.clock.advance(0)
    return { ...w, turn }
  }

  test.each(ends)(
    "L8, L14: %s while a probe runs: it is told to stop, and nothing waits for it once it ends",
    async (...row) => {
      const [, , , reason, outcome] = row
      const w = await endsWhileProbed(({ signal }) => untilStopped(signal), row, true)
      expect(w.events.filter((event) => event._tag === "Closed")).toMatchObject([
        { reason, leaked: false, at: 1500 },
      ])
      expect(w.turn?.outcome ?? "nobody").toBe(outcome)
      expect(w.story()).not.toContain("Lost")
      // No clock of it goes on, which would keep the process alive.
      expect(w.registry.probes.watched).toBe(0)
      await expectNothingLeft(w)
    },
  )

  test.each(ends)(
    "L3, L4, L21: %s while a probe runs that never ends: leaked at the close deadline, the key goes on, its late answer changes nothing",
    async (...row) => {
      const [, , , reason, outcome] = row
      for (const late of [() => true, () => false, () => Promise.reject(new Error("late"))]) {
        const answer = gate()
        const w = await endsWhileProbed(() => answer.promise.then(late), row, true)
        const { clock, events, ledger, sessions, turn } = w
        const closed = (): unknown => events.filter((event) => event._tag === "Closed")
        await clock.advance(2999)
        expect(closed()).toEqual([])
        await clock.advance(1)
        expect(closed()).toMatchObject([{ reason, leaked: true, at: 4500, session: { serial: 1 } }])
        expect(turn?.outcome ?? "nobody").toBe(outcome)
        const next = reason === "Drained" ? undefined : watch(clock, sessions.run("a", serial))
        await clock.advance(0)
        expect(next?.outcome ?? "value 2").toBe("value 2")
        const before = events.length
        answer.open()
        await settle()
        await clock.advance(0)
        expect(events.slice(before).map((event) => event._tag)).toEqual(["LeakEnded"])
        expect(sessions.snapshot().counts.leaked).toBe(0)
        expect(ledger.mostOfOneKey).toBe(1)
        await expectNothingLeft(w)
      }
    },
  )
})
