import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf, type Policy, type Thing } from "../support/ledger.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  const recycling = (policy: Policy, before?: Parameters<typeof world>[1]) => {
    const w = world({ idleTimeout: "Infinity", ...policy }, before)
    const run = (work: (thing: Thing, task: Task) => unknown = serial, options?: RunOptions): Watched =>
      watch(w.clock, w.sessions.run("a", work, options))
    const closed = (): ReadonlyArray<string> =>
      w.events.flatMap((event) =>
        event._tag === "Closed" ? [`${event.session.serial} ${event.reason} at ${event.at}`] : [],
      )
    return { ...w, run, closed }
  }

  test.each([
    ["maxAge", { maxAge: 1000 }],
    ["maxTurns", { maxTurns: 2 }],
  ])(
    "L8: %s: leases delay it by a minute at most; meanwhile turns and new leases are served; then they are revoked",
    async (_, policy) => {
      const w = recycling(policy)
      const { clock, closed, run, sessions } = w
      const lease = await sessions.lease("a")
      run()
      await clock.advance(1000)
      if ("maxTurns" in policy) run()
      await clock.advance(30_000)
      const second = await sessions.lease("a")
      const calls = [run(), watch(clock, lease.run(serial)), watch(clock, second.run(serial))]
      await clock.advance(29_999)
      expect(calls.map((call) => call.outcome)).toEqual(["value 1", "value 1", "value 1"])
      expect([lease.signal.aborted, second.signal.aborted, closed()]).toEqual([false, false, []])
      await clock.advance(1)
      expect([lease.signal.aborted, second.signal.aborted]).toEqual([true, true])
      expect(closed()).toEqual(["1 Recycled at 61000"])
      expect(await outcomeOf(lease.run(serial))).toBe("SessionRefused LeaseEnded")
      const next = run()
      await clock.advance(0)
      expect(next.outcome).toBe("value 2")
      await lease.release()
      await expectNothingLeft(w)
    },
  )

  test("L8: the last lease released, or ended by its silence, lets it go at once; the first of two does not", async () => {
    const w = recycling({ maxAge: 1000, timeouts: { lease: 20_000 } })
    const { clock, closed, sessions } = w
    const [first, second] = [await sessions.lease("a"), await sessions.lease("a")]
    await clock.advance(5000)
    await first.release()
    await clock.advance(100)
    expect([closed(), second.signal.aborted]).toEqual([[], false])
    await clock.advance(14_899)
    expect(closed()).toEqual([])
    await clock.advance(1)
    expect(closed()).toEqual(["1 Recycled at 20000"])
    const third = await sessions.lease("a")
    await clock.advance(2000)
    await third.release()
    await clock.advance(0)
    expect(closed()[1]).toBe("2 Recycled at 22000")
    await expectNothingLeft(w)
  })

  test("L8: a lease released before it is due delays nothing", async () => {
    const { clock, closed, sessions } = recycling({ maxAge: 1000 })
    const lease = await sessions.lease("a")
    await clock.advance(500)
    await lease.release()
    await clock.advance(500)
    expect(closed()).toEqual(["1 Recycled at 1000"])
  })

  test("L8, L5: the minute over while turns run: they finish, the lease's own included; its waiting work is LeaseEnded, others' moves on", async () => {
    const w = recycling({ maxAge: 1000 })
    const { clock, closed, run, sessions } = w
    const lease = await sessions.lease("a")
    await clock.advance(60_900)
    const own = watch(
      clock,
      lease.run(() => clock.after(1000).then(() => "finished")),
    )
    const ownWaits = watch(clock, lease.run(serial))
    const other = run()
    await clock.advance(100)
    expect(lease.signal.aborted).toBe(true)
    const request = watch(clock, sessions.lease("a"))
    const refused = watch(clock, lease.run(serial))
    await clock.advance(899)
    expect(refused.outcome).toBe("SessionRefused LeaseEnded")
    expect([own.outcome, other.outcome, request.outcome]).toEqual(["pending", "pending", "pending"])
    await clock.advance(1)
    expect(own).toMatchObject({ outcome: "value finished", at: 61_900 })
    expect(ownWaits.outcome).toBe("SessionRefused LeaseEnded")
    expect(other.outcome).toBe("value 2")
    expect(request.value).toMatchObject({ session: { serial: 2 } })
    expect(closed()).toEqual(["1 Recycled at 61900"])
    await expectNothingLeft(w)
  })

  test("L8: a lease asked for while it retires waits for the next generation, alone or with turns", async () => {
    const { clock, run, sessions } = recycling({ maxTurns: 1 })
    const running = run(() => clock.after(500))
    await clock.advance(100)
    const request = watch(clock, sessions.lease("a"))
    await clock.advance(399)
    expect(request.outcome).toBe("pending")
    expect(sessions.explain("a").tasks.at(-1)).toMatchObject({ waitsFor: "restart" })
    await clock.advance(1)
    expect(running.at).toBe(500)
    expect(request).toMatchObject({ at: 500, value: { session: { serial: 2 } } })
  })

  test("L8: a lease that waits beside the turn that uses the generation up is for the next one, where it stays", async () => {
    const { clock, run, sessions } = recycling({ maxTurns: 1 })
    const beside = run(() => clock.after(100), { whenBusy: "overlap" })
    const request = watch(clock, sessions.lease("a"))
    await clock.advance(99)
    expect(request.outcome).toBe("pending")
    await clock.advance(1)
    expect(beside.at).toBe(100)
    expect(request).toMatchObject({ at: 100, value: { session: { serial: 2 }, signal: { aborted: false } } })
  })

  test("L8: background work does not delay it: told to stop when it goes", async () => {
    const { clock, closed, run } = recycling({ maxAge: 1000 })
    const signals: Array<AbortSignal> = []
    run((_, task) => {
      task.background("tick", ({ signal }) => {
        signals.push(signal)
        return new Promise((_resolve, reject) => signal.addEventListener("abort", reject))
      })
    })
    await clock.advance(999)
    expect(signals[0]?.aborted).toBe(false)
    await clock.advance(1)
    expect(signals[0]?.aborted).toBe(true)
    expect(closed()).toEqual(["1 Recycled at 1000"])
  })

  test("L8: work beside the turns delays it as a turn does, and new work beside them waits for the next generation", async () => {
    const { clock, closed, run } = recycling({ maxAge: 1000 })
    const beside = run((_, { signal }) => clock.after(3000).then(() => signal.aborted), {
      whenBusy: "overlap",
    })
    await clock.advance(1500)
    const late = run(serial, { whenBusy: "overlap" })
    await clock.advance(1499)
    expect([beside.outcome, late.outcome, closed()]).toEqual(["pending", "pending", []])
    await clock.advance(1)
    expect([beside.outcome, late.outcome]).toEqual(["value false", "value 2"])
    expect(closed()).toEqual(["1 Recycled at 3000"])
  })

  test("L6, L13: a turn that its caller left and that does not end holds the next generation no longer than grace", async () => {
    const { clock, closed, run } = recycling({ maxAge: 1000, timeouts: { grace: 2000, close: 300 } })
    const left = run(() => gate().promise, { timeout: 500 })
    await clock.advance(3000)
    expect([left.outcome, closed()]).toEqual(["TaskStopped Timeout", []])
    const next = run()
    await clock.advance(1999)
    expect(next.outcome).toBe("pending")
    await clock.advance(301)
    expect(next.outcome).toBe("value 2")
  })
})
