import { describe, expect, test } from "vitest"
import type { ProbeOptions, RunOptions } from "../../src/SessionOptions.ts"
import type { Opening, ProbeContext, Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing, type World } from "../support/ledger.ts"
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
    const run = (
      work: (thing: Thing, task: Task) => unknown = (thing) => thing.serial,
      how?: RunOptions,
    ): Watched => watch(w.clock, w.sessions.run("a", work, how))
    return { ...w, asked, contexts, run }
  }

  test("L11: work beside the turns waits for a probe but does not hinder one, and its error asks for one too", async () => {
    const answer = gate()
    const w = probing(({ why }) => (why === "BeforeTurn" ? answer.promise : true))
    const { asked, clock, run } = w
    const beside = run((_, { signal }) => untilStopped(signal), { whenBusy: "overlap", timeout: 60_000 })
    await clock.advance(10_001)
    const turn = run()
    await clock.advance(0)
    expect(asked).toEqual(["BeforeTurn at 10001"])
    const second = run(() => "beside", { whenBusy: "overlap" })
    await clock.advance(1000)
    expect([turn.outcome, second.outcome, beside.outcome]).toEqual(["pending", "pending", "pending"])
    answer.open()
    await clock.advance(0)
    expect([turn, second]).toMatchObject([
      { outcome: "value 1", at: 11_001 },
      { outcome: "value beside", at: 11_001 },
    ])
    run(() => Promise.reject(new Error("fails")), { whenBusy: "overlap" })
    await clock.advance(0)
    expect(asked.slice(1)).toEqual(["AfterError at 11001"])
    await expectNothingLeft(w)
  })

  test("L11: work beside the turns asks on stale trust too, and runs after a good answer, on the next generation after a bad one", async () => {
    const { asked, clock, run } = probing((_, { serial }) => settle().then(() => serial > 1))
    run()
    await clock.advance(10_001)
    const beside = run((thing) => thing.serial, { whenBusy: "overlap" })
    await clock.advance(0)
    expect(asked).toEqual(["BeforeTurn at 10001"])
    expect(beside.outcome).toBe("value 2")
    await clock.advance(10_001)
    const again = run((thing) => thing.serial, { whenBusy: "overlap" })
    await clock.advance(0)
    expect([again.outcome, asked.length]).toEqual(["value 2", 2])
  })

  test("L11, L24: a generation that retires or is being closed is asked nothing more: it goes anyway, and is not lost", async () => {
    for (const closes of [false, true]) {
      const w = probing(() => false, { every: 300 }, closes ? {} : { maxAge: 100 })
      const { asked, clock, events, run, sessions } = w
      const beside = run(() => clock.after(2000), { whenBusy: "overlap" })
      const fails = run(() => clock.after(1000).then(() => Promise.reject(new Error("fails"))))
      await clock.advance(100)
      if (closes) void sessions.close("a", { finishWithin: 10_000 })
      await clock.advance(1900)
      expect([beside.outcome, fails.outcome, asked]).toEqual(["value undefined", "error fails", []])
      expect(events.filter((event) => event._tag === "Closed")).toMatchObject([
        { reason: closes ? "Requested" : "Recycled", at: 2000 },
      ])
      await expectNothingLeft(w)
    }
  })

  test("L8, L11: a lease asks nothing, and is granted while a probe is under way; its work waits for the answer", async () => {
    const answer = gate()
    const { asked, clock, run, sessions } = probing(() => answer.promise)
    run()
    await clock.advance(60_000)
    const before = await sessions.lease("a")
    expect(asked).toEqual([])
    const turn = run()
    await clock.advance(10)
    expect(asked).toEqual(["BeforeTurn at 60000"])
    const during = watch(clock, sessions.lease("a"))
    await clock.advance(0)
    expect(during).toMatchObject({ at: 60_010, value: { session: { serial: 1 } } })
    const own = watch(
      clock,
      before.run((thing) => thing.serial),
    )
    await clock.advance(100)
    expect([turn.outcome, own.outcome]).toEqual(["pending", "pending"])
    answer.open()
    await clock.advance(0)
    expect([turn.at, own.at, own.outcome]).toEqual([60_110, 60_110, "value 1"])
    expect(asked).toHaveLength(1)
  })

  test("L8, L12: a bad answer revokes leases; their waiting work is LeaseEnded, other work moves on", async () => {
    const { clock, run, sessions } = probing((_, { serial }) => settle().then(() => serial > 1))
    const lease = await sessions.lease("a")
    await clock.advance(10_001)
    const [own, other] = [
      watch(
        clock,
        lease.run((thing) => thing.serial),
      ),
      run(),
    ]
    await clock.advance(0)
    expect([own.outcome, other.outcome]).toEqual(["SessionRefused LeaseEnded", "value 2"])
    expect(lease.signal.aborted).toBe(true)
  })

  test("L5: a turn that waits for a probe is told of its caller's causes and its queue clock at once; the probe goes on", async () => {
    const answer = gate()
    const w = probing(() => answer.promise, {}, { timeouts: { queue: 300 } })
    const { asked, clock, ledger, run, sessions } = w
    run()
    await clock.advance(10_001)
    const leaves = new AbortController()
    const [left, late, cancelled, queued] = [
      run(undefined, { signal: leaves.signal }),
      run(undefined, { timeout: 100 }),
      run(undefined, { name: "cancelled" }),
      run(undefined, { timeout: 2000 }),
    ]
    await clock.advance(50)
    leaves.abort(new Error("left"))
    await settle()
    expect(left).toMatchObject({ outcome: "error left", at: 10_051 })
    await clock.advance(50)
    expect(late).toMatchObject({ outcome: "TaskStopped Timeout", at: 10_101 })
    const task = sessions.explain("a").tasks.find((one) => one.name === "cancelled")
    expect(await sessions.cancel("a", { task: task?.id ?? "" })).toBe(1)
    await settle()
    expect(cancelled.outcome).toBe("TaskStopped Cancelled")
    await clock.advance(200)
    expect(queued).toMatchObject({ outcome: "SessionRefused QueueTimeout", at: 10_301 })
    answer.open()
    await clock.advance(0)
    const next = run()
    await clock.advance(0)
    expect([next.outcome, asked.length, ledger.opened]).toEqual(["value 1", 1, 1])
    await expectNothingLeft(w)
  })

  test("L6: while a probe is under way nothing runs: reject and maxQueued 0 let one wait, replace replaces it", async () => {
    const stale = async (policy: Policy) => {
      const answer = gate()
      const w = probing(() => answer.promise, {}, policy)
      w.run()
      await w.clock.advance(10_001)
      return { ...w, answer }
    }
    for (const [policy, second] of [
      [{ whenBusy: "reject" }, "SessionRefused Busy"],
      [{ maxQueued: 0 }, "SessionRefused MaxQueued"],
    ] as const) {
      const { answer, clock, run } = await stale(policy)
      const calls = [run(), run()]
      await settle()
      answer.open()
      await clock.advance(0)
      expect(calls.map((call) => call.outcome)).toEqual(["value 1", second])
    }
    const { answer, clock, run } = await stale({ whenBusy: "replace" })
    const calls = [run(), run()]
    await settle()
    answer.open()
    await clock.advance(0)
    expect(calls.map((call) => call.outcome)).toEqual(["TaskStopped Replaced", "value 1"])
  })
})
