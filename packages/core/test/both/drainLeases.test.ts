import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  test("L14, L8: leases are told at once, work until the cut, and are revoked then", async () => {
    const { clock, sessions } = world()
    const lease = await sessions.lease("a")
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    await settle()
    expect(lease.signal.aborted).toBe(true)
    expect(await lease.run(serialOf)).toBe(1)
    const queued = [
      watch(
        clock,
        lease.run(() => clock.after(100)),
      ),
      watch(clock, lease.run(serialOf)),
    ]
    await clock.advance(500)
    expect(queued.map((one) => one.outcome)).toEqual(["value undefined", "value 1"])
    expect(await outcomeOf(sessions.run("a", serialOf))).toBe("SessionRefused Draining")
    expect(draining.outcome).toBe("pending")
    await clock.advance(500)
    expect(draining).toMatchObject({ outcome: "value [object Object]", at: 1000 })
    expect(await outcomeOf(lease.run(serialOf))).toMatch(/^SessionRefused (?:Draining|LeaseEnded)$/)
  })

  test("L14, L8: a holder that lets go when it is told lets the drain end", async () => {
    const { clock, sessions } = world()
    const lease = await sessions.lease("a")
    lease.signal.addEventListener("abort", () => void lease.release())
    const draining = watch(clock, sessions.drain({ finishWithin: 60_000 }))
    await clock.advance(0)
    expect(draining).toMatchObject({ outcome: "value [object Object]", at: 0 })
  })

  test("L14, L8: what a lease has queued when the drain begins is part of what was admitted, and is served", async () => {
    const { clock, sessions } = world()
    const lease = await sessions.lease("a")
    const held = gate()
    const running = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    const ofLease = watch(clock, lease.run(serialOf))
    const ofOthers = watch(clock, sessions.run("a", serialOf))
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    await clock.advance(100)
    expect([ofLease.outcome, ofOthers.outcome]).toEqual(["pending", "SessionRefused Draining"])
    held.open()
    await clock.advance(0)
    expect([running.outcome, ofLease.outcome]).toEqual(["value undefined", "value 1"])
    await lease.release()
    await clock.advance(0)
    expect(draining).toMatchObject({ outcome: "value [object Object]", at: 100 })
  })

  test("L14, L8: a lease that is granted while the registry drains is told at once", async () => {
    const { clock, sessions } = world()
    const begin = gate()
    const seen: Array<boolean> = []
    const outer = watch(
      clock,
      sessions.run("a", async () => {
        await begin.promise
        await using lease = await sessions.lease("b")
        await settle()
        seen.push(lease.signal.aborted)
        return lease.run(serialOf)
      }),
    )
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    begin.open()
    await clock.advance(10)
    expect([outer.outcome, seen]).toEqual(["value 2", [true]])
    expect(draining.outcome).toBe("value [object Object]")
  })
})
