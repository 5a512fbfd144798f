import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  test("L23: the wall clock set back and forth moves no deadline of ours", async () => {
    const { clock, events, sessions } = world({
      idleTimeout: 1000,
      timeouts: { silence: 2000, grace: 100, lease: 3000 },
    })
    let wall = 1_700_000_000_000
    Object.defineProperty(clock, "currentTimeMillisUnsafe", { value: () => wall + clock.now })
    const jump = (by: number): void => void (wall += by)
    await sessions.run("idle", serialOf)
    const silent = watch(
      clock,
      sessions.run("silent", () => gate().promise),
    )
    const timed = watch(
      clock,
      sessions.run("timed", () => gate().promise, { timeout: 500 }),
    )
    const lease = await sessions.lease("lease")
    await settle()
    jump(-86_400_000)
    await clock.advance(499)
    jump(2 * 86_400_000)
    expect(timed.outcome).toBe("pending")
    await clock.advance(1)
    expect(timed).toMatchObject({ outcome: "TaskStopped Timeout", at: 500 })
    jump(-86_400_000 * 365)
    await clock.advance(499)
    expect(sessions.explain("idle").state).toBe("Ready")
    await clock.advance(1)
    expect(sessions.explain("idle").state).toBe("Closed")
    await clock.advance(1100)
    expect(silent).toMatchObject({ outcome: "TaskStopped Silent", at: 2100 })
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(900)
    expect(lease.signal.aborted).toBe(true)
    const opened = events.find((event) => event._tag === "Opened")
    expect(opened).toMatchObject({ at: 1_700_000_000_000, durationMs: 0 })
  })

  test("L23, L13: while the loop stood still nobody could give a sign of life: no turn and no lease is silent for it", async () => {
    const { clock, sessions } = world({
      timeouts: { silence: 1000, lease: 1000, grace: 100 },
      idleTimeout: 60_000,
    })
    const held = gate<string>()
    const running = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    const lease = await sessions.lease("b")
    await clock.advance(300)
    await clock.stall(5000)
    await clock.advance(500)
    expect(running.outcome).toBe("pending")
    expect(lease.signal.aborted).toBe(false)
    held.open("done")
    await settle()
    expect(running.outcome).toBe("value done")
    // Its silence goes on counting where it was: what was left of it, and not the whole again.
    await clock.advance(400)
    expect(lease.signal.aborted).toBe(true)
  })

  test("L23: callers' timeouts and drains count the time in which the loop stood still", async () => {
    const { clock, sessions } = world({ timeouts: { silence: 100_000 } })
    const running = watch(
      clock,
      sessions.run("a", () => gate().promise, { timeout: 1000 }),
    )
    await clock.advance(10)
    await clock.stall(2000)
    expect(running.outcome).toBe("TaskStopped Timeout")
    void sessions.run("b", () => gate().promise).catch(() => {})
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    await clock.stall(1000)
    await clock.advance(30_000)
    expect(draining.outcome).toBe("value [object Object]")
    expect(draining.at).toBeLessThanOrEqual(2010 + 1000 + 5000 + 15_000)
  })

  test("L23, L22: a call it makes is not its silence: the call has clocks of its own", async () => {
    const { clock, sessions } = world({ timeouts: { silence: 1000, grace: 100 } })
    const held = gate<string>()
    const outer = watch(
      clock,
      sessions.run("a", () => sessions.run("b", () => held.promise, { silence: "Infinity" })),
    )
    await clock.advance(10_000)
    expect(outer.outcome).toBe("pending")
    held.open("done")
    await settle()
    expect(outer.outcome).toBe("value done")
  })

  test("L23: due in one tick, work that ends wins, then the caller's timeout, and the idle clock comes last", async () => {
    const { clock, events, sessions } = world({ idleTimeout: 500, maxSessions: 2, timeouts: { seat: 500 } })
    await sessions.run("idle", serialOf)
    const busy = watch(
      clock,
      sessions.run("busy", () => gate().promise, { timeout: 500 }),
    )
    await clock.advance(500)
    expect(busy).toMatchObject({ outcome: "TaskStopped Timeout", at: 500 })
    const order = events.filter((event) => event.at === 500).map((event) => event._tag)
    expect(order.indexOf("TaskEnded")).toBeLessThan(order.indexOf("Closing"))
  })

  test("L23: huge times are no times at all: each clock keeps its own", async () => {
    const huge = Number.MAX_SAFE_INTEGER
    const { clock, sessions } = world({
      idleTimeout: huge,
      maxSessions: 1,
      timeouts: { silence: huge, queue: huge, seat: huge, open: huge, lease: huge, grace: huge, close: huge },
    })
    const held = gate()
    const busy = sessions.run("a", () => held.promise, { timeout: huge })
    await settle()
    const waiting = watch(clock, sessions.run("b", serialOf))
    await clock.advance(60_000)
    expect(waiting.outcome).toBe("pending")
    held.open()
    await busy
    await settle()
    expect(waiting.outcome).toBe("value 2")
    expect(sessions.explain("a").ended?.reason).toBe("Evicted")
  })
})
