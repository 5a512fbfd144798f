import { describe, expect, test } from "vitest"
import type { ProbeOptions } from "../../src/SessionOptions.ts"
import type { Opening, ProbeContext } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import type { Policy, Thing, World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

type Answer = (context: ProbeContext, opening: Opening) => unknown
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))

describe.each(faces)("$face", ({ world }) => {
  /** Every generation has this probe; `asked` says why and when it was asked. */
  const probing = (answer: Answer = () => true, options?: ProbeOptions, policy: Policy = {}) => {
    const asked: Array<string> = []
    const contexts: Array<ProbeContext> = []
    const w: World<Thing> = world({ idleTimeout: "Infinity", ...policy }, (opening) =>
      opening.probe((context) => {
        contexts.push(context)
        asked.push(`${context.why} at ${w.clock.now}`)
        return answer(context, opening)
      }, options),
    )
    const use = (): Watched =>
      watch(
        w.clock,
        w.sessions.run("a", (thing) => thing.serial),
      )
    return { ...w, asked, contexts, use }
  }

  test("L11: asked after a task's own error, with that very error, once; a good answer changes nothing", async () => {
    const w = probing()
    const { asked, clock, contexts, events, sessions, use } = w
    const error = new Error("no such row")
    const fails = watch(
      clock,
      sessions.run("a", () => Promise.reject(error)),
    )
    await clock.advance(0)
    expect(fails.error).toBe(error)
    expect(asked).toEqual(["AfterError at 0"])
    expect(contexts[0]?.error).toBe(error)
    expect(contexts[0]?.signal.aborted).toBe(false)
    const next = use()
    await clock.advance(60)
    expect(next).toMatchObject({ outcome: "value 1", at: 0 })
    expect(asked).toHaveLength(1)
    expect(events.filter((event) => event._tag === "Lost")).toEqual([])
    await expectNothingLeft(w)
  })

  test("L11: not asked by opening, good turns, leases, looks, nor by what was stopped or left", async () => {
    const { asked, clock, sessions } = probing(() => true, {}, { timeouts: { silence: 500, grace: 100 } })
    const stops = new AbortController()
    const calls = [
      sessions.run("a", () => "good"),
      sessions.run("a", (_, { signal }) => untilStopped(signal), { timeout: 100 }),
      sessions.run("a", (_, { signal }) => untilStopped(signal), { signal: stops.signal }),
      sessions.run("a", (_, { signal }) => untilStopped(signal)),
      sessions.run("a", () => "never", { signal: AbortSignal.abort() }),
    ].map((call) => watch(clock, call))
    await clock.advance(200)
    stops.abort(new Error("left"))
    await clock.advance(800)
    expect(calls.map((call) => call.outcome).slice(0, 4)).toEqual([
      "value good",
      "TaskStopped Timeout",
      "error left",
      "TaskStopped Silent",
    ])
    const lease = await sessions.lease("a")
    await lease.run(() => "good")
    await lease.release()
    sessions.explain("a").toString()
    await clock.advance(3_600_000)
    expect(asked).toEqual([])
  })

  test("L11: before a turn only on trust older than trustFor, to the millisecond; 10 s unless said otherwise", async () => {
    for (const [options, trust] of [
      [undefined, 10_000],
      [{ trustFor: "2 seconds" }, 2000],
    ] as const) {
      const { asked, clock, contexts, use } = probing(() => true, options)
      use()
      await clock.advance(trust)
      const young = use()
      await clock.advance(trust + 1)
      expect([young.outcome, asked]).toEqual(["value 1", []])
      const stale = use()
      await settle()
      expect(stale.outcome).toBe("value 1")
      expect(asked).toEqual([`BeforeTurn at ${2 * trust + 1}`])
      expect(contexts[0]?.error).toBeUndefined()
    }
  })

  test("L11: a good turn renews trust, and so do work beside the turns and a good probe; a stopped turn does not", async () => {
    const { asked, clock, sessions, use } = probing()
    const stopped = async (): Promise<void> => {
      const call = watch(
        clock,
        sessions.run("a", (_, { signal }) => untilStopped(signal), { timeout: 10 }),
      )
      await clock.advance(10)
      expect(call.outcome).toBe("TaskStopped Timeout")
    }
    use()
    for (let times = 0; times < 3; times++) {
      await clock.advance(6000)
      use()
    }
    await clock.advance(6000)
    watch(
      clock,
      sessions.run("a", () => 1, { whenBusy: "overlap" }),
    )
    await clock.advance(6000)
    expect(asked).toEqual([])
    await stopped()
    await clock.advance(3990)
    expect(asked).toEqual([])
    use()
    await clock.advance(0)
    expect(asked).toEqual([])
    await clock.advance(6000)
    await stopped()
    await clock.advance(3991)
    await stopped()
    expect(asked).toEqual(["BeforeTurn at 44001"])
    await clock.advance(9990)
    use()
    await clock.advance(0)
    expect(asked).toHaveLength(1)
  })

  test("L11: good background work is no turn and proves nothing of the resource", async () => {
    const { asked, clock, sessions, use } = probing()
    await sessions.run("a", (_, task) => void task.background("tick", () => clock.after(6000)))
    await clock.advance(11_000)
    use()
    await clock.advance(0)
    expect(asked).toEqual(["BeforeTurn at 11000"])
  })

  test("L11: `every`: so often after the last proof, never while a turn runs; without it an idle session is left alone", async () => {
    const { asked, clock, contexts, sessions, use } = probing(() => true, { every: "1 second" })
    use()
    await clock.advance(2500)
    use()
    await clock.advance(1100)
    watch(
      clock,
      sessions.run("a", () => clock.after(3400)),
    )
    await clock.advance(5000)
    expect(asked).toEqual(["Interval at 1000", "Interval at 2000", "Interval at 3500", "Interval at 8000"])
    expect(contexts[0]?.error).toBeUndefined()
    const without = probing()
    without.use()
    await without.clock.advance(3_600_000)
    expect(without.asked).toEqual([])
  })

  test("L11: `every` counts from the answer, so a slow probe is never asked twice at once", async () => {
    let open = 0
    let most = 0
    const w: ReturnType<typeof probing> = probing(
      async () => {
        most = Math.max(most, ++open)
        await w.clock.after(2500)
        open--
      },
      { every: 1000 },
    )
    w.use()
    await w.clock.advance(9000)
    expect(w.asked).toEqual(["Interval at 1000", "Interval at 4500", "Interval at 8000"])
    expect(most).toBe(1)
  })

  test("L11: trustFor 0: before each turn, and never in a loop; Infinity: before none", async () => {
    const never = probing(() => true, { trustFor: "Infinity" })
    never.use()
    await never.clock.advance(3_600_000)
    never.use()
    await never.clock.advance(0)
    expect(never.asked).toEqual([])
    const { asked, clock, use } = probing(() => true, { trustFor: 0 })
    use()
    await clock.advance(0)
    expect(asked).toEqual([])
    for (let turn = 1; turn <= 5; turn++) {
      await clock.advance(1)
      const call = use()
      await clock.advance(0)
      expect(call).toMatchObject({ outcome: "value 1", at: clock.now })
      expect(asked).toHaveLength(turn)
    }
    await clock.advance(1000)
    expect(asked).toHaveLength(5)
  })

  test("L11: trustFor 0: also before each of those that waited behind one another", async () => {
    const { asked, clock, sessions, use } = probing(() => true, { trustFor: 0 })
    use()
    await clock.advance(10)
    const calls = [1, 2, 3].map(() =>
      watch(
        clock,
        sessions.run("a", () => clock.after(5)),
      ),
    )
    await clock.advance(100)
    expect(calls.map((call) => call.at)).toEqual([15, 20, 25])
    expect(asked).toEqual(["BeforeTurn at 10", "BeforeTurn at 15", "BeforeTurn at 20"])
  })
})
