import { describe, expect, test } from "vitest"
import type { ProbeOptions, RunOptions } from "../../src/SessionOptions.ts"
import type { Opening, ProbeContext, Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing, type World } from "../support/ledger.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

type Answer = (context: ProbeContext, opening: Opening) => unknown
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))

/** The same numbers each time. */
const numbers = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

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

  test.each([1, 3])(
    "L11, L6: never beside a turn, in whatever mix of turns, failures, callers that leave and overlapping work (concurrency %i)",
    async (concurrency) => {
      const number = numbers(concurrency)
      const running = new Set<number>()
      const faults: Array<string> = []
      let probes = 0
      let asking = 0
      const reasons = new Set<string>()
      const w = probing(
        async ({ why }) => {
          reasons.add(why)
          probes++
          if (running.size > 0) faults.push(`${why} beside ${running.size} turns at ${clock.now}`)
          if (++asking > 1) faults.push(`two probes at ${clock.now}`)
          await clock.after(1 + number(20))
          if (running.size > 0) faults.push(`a turn started during ${why} at ${clock.now}`)
          asking--
        },
        { trustFor: 5, every: 15 },
        { concurrency, maxQueued: Infinity, timeouts: { grace: 60_000 } },
      )
      const { clock, run } = w
      const work =
        (n: number) =>
        async (_thing: Thing, { signal }: Task) => {
          running.add(n)
          if (asking > 0) faults.push(`turn ${n} begins during a probe at ${clock.now}`)
          const length = 1 + number(30)
          const fails = number(4) === 0
          await Promise.race([
            clock.after(length),
            ...(number(3) === 0 ? [untilStopped(signal)] : []),
          ]).finally(() => running.delete(n))
          if (fails) throw new Error(`turn ${n} fails`)
          return n
        }
      const calls: Array<Watched> = []
      for (let n = 0; n < 300; n++) {
        const options = number(5) === 0 ? { timeout: 1 + number(40) } : {}
        if (number(8) === 0) calls.push(run(() => clock.after(10), { whenBusy: "overlap" }))
        calls.push(run(work(n), options))
        await clock.advance(number(60 / concurrency))
      }
      await clock.advance(60_000)
      expect(faults).toEqual([])
      expect(probes).toBeGreaterThan(50)
      expect(reasons).toEqual(new Set(["AfterError", "BeforeTurn", "Interval"]))
      expect(calls.filter((call) => call.outcome === "pending")).toEqual([])
      for (const call of calls)
        expect(call.outcome).toMatch(/^value|^error turn \d+ fails|^TaskStopped Timeout/)
      expect(w.ledger.opened).toBe(1)
      await expectNothingLeft(w)
    },
  )

  test("L11: after an error with others running, new turns are held until it could be asked, at most `timeout`, then go on", async () => {
    const error = new Error("first")
    const { asked, clock, run } = probing(() => true, { timeout: "2 seconds" }, { concurrency: 2 })
    const long = run((_, { signal }) => untilStopped(signal), { timeout: 10_000 })
    await clock.advance(100)
    const fails = run(() => Promise.reject(error))
    await clock.advance(10)
    const held = run((_, { signal }) => untilStopped(signal), { timeout: 3000 })
    await clock.advance(1989)
    expect([fails.outcome, held.outcome, asked.length]).toEqual(["error first", "pending", 0])
    const starts: Array<number> = []
    const behind = run(() => starts.push(clock.now))
    // Two seconds after the error: no longer held, and the one behind it still waits for its turn.
    await clock.advance(1)
    expect(starts).toEqual([])
    await clock.advance(1010)
    expect([held.outcome, held.at, starts]).toEqual(["TaskStopped Timeout", 3110, [3110]])
    expect(behind.outcome).toBe("value 1")
    expect(long.outcome).toBe("pending")
  })

  test("L11: it is asked when it can, also after the hold is over, with the first error, unless a turn has ended well since", async () => {
    const error = new Error("first")
    for (const proof of [false, true]) {
      const { asked, clock, contexts, run } = probing(() => true, {}, { concurrency: 2 })
      const long = run((_, { signal }) => untilStopped(signal), { timeout: 20_000 })
      await clock.advance(100)
      run(() => Promise.reject(error))
      await clock.advance(6000)
      if (proof) run(() => "well")
      run(() => Promise.reject(new Error("second")), { whenBusy: "overlap" })
      await clock.advance(13_900)
      expect(long.outcome).toBe("TaskStopped Timeout")
      expect(asked).toEqual(["AfterError at 20000"])
      expect(contexts[0]?.error).toMatchObject({ message: proof ? "second" : "first" })
    }
  })

  test("L11: after an error it is asked as soon as the others have ended, and who waits then waits for its answer", async () => {
    const answer = gate()
    const { asked, clock, run, sessions } = probing(() => answer.promise, {}, { concurrency: 3 })
    const others = [1, 2].map((n) => run((_, { signal }) => untilStopped(signal), { timeout: n * 1000 }))
    await clock.advance(10)
    run(() => Promise.reject(new Error("fails")))
    await clock.advance(0)
    const held = run()
    await clock.advance(1989)
    expect([others[0]?.outcome, others[1]?.outcome, asked]).toEqual(["TaskStopped Timeout", "pending", []])
    await clock.advance(1)
    expect(asked).toEqual(["AfterError at 2000"])
    await clock.advance(3500)
    expect(held.outcome).toBe("pending")
    expect(sessions.explain("a").tasks).toMatchObject([{ waitsFor: "probe" }])
    answer.open()
    await clock.advance(0)
    expect(held).toMatchObject({ outcome: "value 1", at: 5500 })
  })

  test("L11: a turn that ends well after another's error is proof enough: nobody is held any more, nothing is asked", async () => {
    const { asked, clock, run } = probing(() => true, {}, { concurrency: 2 })
    run(() => clock.after(1000))
    await clock.advance(10)
    run(() => Promise.reject(new Error("fails")))
    await clock.advance(0)
    const held = run()
    await clock.advance(989)
    expect(held.outcome).toBe("pending")
    await clock.advance(1)
    expect(held).toMatchObject({ outcome: "value 1", at: 1000 })
    expect(asked).toEqual([])
  })

  test("L7: a turn that runs while others are held still makes its nested calls, at once", async () => {
    const { clock, run, sessions } = probing(() => true, {}, { concurrency: 3 })
    const told = gate()
    const outer = run(async (_, { signal }) => {
      await told.promise
      const nested = await sessions.run("a", (thing) => `nested on ${thing.serial}`)
      const beside = await sessions.run("a", () => "beside", { whenBusy: "overlap", signal })
      return `${nested}, ${beside}`
    })
    await clock.advance(10)
    run(() => Promise.reject(new Error("fails")))
    await clock.advance(0)
    const held = run()
    told.open()
    await clock.advance(0)
    // The nested turn has ended well: that is proof.
    expect(outer).toMatchObject({ outcome: "value nested on 1, beside", at: 10 })
    expect(held).toMatchObject({ outcome: "value 1", at: 10 })
  })
})
