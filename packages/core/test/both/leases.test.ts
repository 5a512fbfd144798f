import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const hour = 3_600_000
const serialOf = (thing: { readonly serial: number }): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  test("L8: a lease pins its generation: idle time does not count, and nobody evicts it", async () => {
    const { clock, sessions } = world({ idleTimeout: 1000, maxSessions: 1, timeouts: { seat: 500 } })
    const lease = await sessions.lease("a", { name: "socket" })
    expect(lease.session).toMatchObject({ key: "a", generation: 1, serial: 1 })
    await clock.advance(10_000)
    expect(await lease.run(serialOf)).toBe(1)
    const other = watch(clock, sessions.run("b", serialOf))
    await clock.advance(500)
    expect(other.outcome).toBe("SessionRefused MaxSessions")
    expect(await lease.run(serialOf)).toBe(1)
  })

  test("L8: idle counts from the release, and the same lease released again changes nothing", async () => {
    const { clock, sessions, story } = world({ idleTimeout: 1000 })
    const [first, second] = [await sessions.lease("a"), await sessions.lease("a")]
    await clock.advance(5000)
    await first.release()
    await first.release()
    expect(sessions.snapshot().counts.leases).toBe(1)
    await clock.advance(5000)
    await second.release()
    await clock.advance(999)
    expect(sessions.explain("a").state).toBe("Ready")
    await first.release()
    await clock.advance(1)
    expect(story()).toEqual(["Opening", "Opened", "Closing Idle", "Closed Idle"])
    expect(first.signal.aborted && second.signal.aborted).toBe(true)
  })

  test("L8: it takes no slot: turns of others go on beside it, and it is granted while one runs", async () => {
    const { sessions } = world()
    const held = gate()
    const running = sessions.run("a", () => held.promise)
    await settle()
    const lease = await sessions.lease("a")
    const queued = lease.run(serialOf)
    expect(await outcomeOf(queued)).toBe("pending")
    held.open()
    await running
    expect(await queued).toBe(1)
    expect(await sessions.run("a", serialOf)).toBe(1)
  })

  test("L8: `await using` releases it", async () => {
    const { clock, sessions } = world({ idleTimeout: 1000 })
    {
      await using lease = await sessions.lease("a")
      expect(await lease.run(serialOf)).toBe(1)
      expect(sessions.explain("a").alive.map((one) => one.kind)).toEqual(["lease"])
    }
    expect(sessions.explain("a").alive).toEqual([])
    await clock.advance(1000)
    expect(sessions.explain("a").state).toBe("Closed")
  })

  test("L8: a released lease works no more, though its generation lives", async () => {
    const { sessions } = world()
    const lease = await sessions.lease("a")
    await lease.release()
    expect(await outcomeOf(lease.run(serialOf))).toBe("SessionRefused LeaseEnded")
    expect(await sessions.run("a", serialOf)).toBe(1)
  })

  test("L8: a restart revokes it and leaves `run` working; it never passes to the next generation", async () => {
    const { clock, sessions } = world()
    const lease = await sessions.lease("a")
    const held = gate()
    const running = watch(
      clock,
      lease.run((_, { signal }) => Promise.race([held.promise, stopped(signal)])),
    )
    const queuedOfLease = watch(clock, lease.run(serialOf))
    const queued = watch(clock, sessions.run("a", serialOf))
    await settle()
    await sessions.restart("a")
    await settle()
    expect(running.outcome).toBe("TaskStopped Restarted")
    expect(queuedOfLease.outcome).toBe("SessionRefused LeaseEnded")
    expect(queued.outcome).toBe("value 2")
    expect(lease.signal.aborted).toBe(true)
    expect(await outcomeOf(lease.run(serialOf))).toBe("SessionRefused LeaseEnded")
    expect(await sessions.run("a", serialOf)).toBe(2)
    lease.progress()
    await lease.release()
    expect(sessions.snapshot().counts.leases).toBe(0)
  })

  test("L8: a silent lease ends by itself, exactly when its silence is over; one that gives signs of life goes on", async () => {
    const { clock, events, sessions } = world({ timeouts: { lease: 1000 } })
    const [silent, beating] = [
      await sessions.lease("a", { name: "silent" }),
      await sessions.lease("a", { name: "beating" }),
    ]
    for (let beat = 0; beat < 5; beat++) {
      await clock.advance(400)
      beating.progress()
      expect(silent.signal.aborted).toBe(clock.now >= 1000)
    }
    expect(beating.signal.aborted).toBe(false)
    expect(await outcomeOf(silent.run(serialOf))).toBe("SessionRefused LeaseEnded")
    await clock.advance(999)
    expect(beating.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(beating.signal.aborted).toBe(true)
    const names = events.flatMap((event) =>
      event._tag === "LeaseExpired" ? [`${event.lease.name} ${event.at}`] : [],
    )
    expect(names).toEqual(["silent 1000", "beating 3000"])
  })

  test("L8: a lease of its own silence, and one that may be silent for ever, which ends after 24 hours", async () => {
    const { clock, sessions } = world({ timeouts: { lease: 1000 }, idleTimeout: "Infinity" })
    const [own, endless] = [
      await sessions.lease("a", { silence: 50 }),
      await sessions.lease("a", { silence: "Infinity" }),
    ]
    await clock.advance(50)
    expect(own.signal.aborted).toBe(true)
    await clock.advance(24 * hour - 51)
    expect(endless.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(endless.signal.aborted).toBe(true)
    expect(sessions.explain("a").alive).toEqual([])
  })

  test("L8: signs of life do not carry a lease past 24 hours, nor does a loop that stands still", async () => {
    const { clock, sessions } = world({ timeouts: { lease: 1000 } })
    const lease = await sessions.lease("a")
    for (let beats = 1; beats < 24; beats++) {
      await clock.stall(hour - 500)
      await clock.advance(500)
      lease.progress()
    }
    await clock.stall(hour - 500)
    await clock.advance(499)
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(lease.signal.aborted).toBe(true)
  })

  test("L8: a busy lease does not end by silence: queued or running, its silence counts from the end of its work", async () => {
    const { clock, sessions } = world({ timeouts: { lease: 1000 } })
    const lease = await sessions.lease("a")
    const [before, own] = [gate(), gate()]
    const other = sessions.run("a", () => before.promise)
    const work = lease.run(() => own.promise)
    await clock.advance(3000)
    before.open()
    await other
    await clock.advance(3000)
    expect(lease.signal.aborted).toBe(false)
    own.open()
    await work
    await clock.advance(999)
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(lease.signal.aborted).toBe(true)
  })

  test("L8: close, broken and idle do to a lease what they say", async () => {
    const world1 = world({ idleTimeout: 1000 })
    const { clock, sessions } = world1
    const closed = await sessions.lease("a")
    await sessions.close("a")
    await settle()
    expect(closed.signal.aborted).toBe(true)
    const broken = await sessions.lease("a")
    await broken.run((_, task) => task.broken("dead"))
    await settle()
    expect(broken.signal.aborted).toBe(true)
    await clock.advance(1000)
    expect(await outcomeOf(broken.run(serialOf))).toBe("SessionRefused LeaseEnded")
    await expectNothingLeft(world1)
  })

  test("L8, L5: a request for a lease waits as a turn does: aborted, not found, refused, granted with the opening", async () => {
    const opening = gate()
    const { clock, ledger, sessions } = world({}, () => opening.promise)
    expect(await outcomeOf(sessions.lease("a", { mustExist: true }))).toBe("SessionRefused NotFound")
    const leaving = new AbortController()
    const left = watch(clock, sessions.lease("a", { signal: leaving.signal }))
    const stays = sessions.lease("a")
    await settle()
    leaving.abort(new Error("left"))
    await settle()
    expect(left.outcome).toBe("error left")
    opening.open()
    const lease = await stays
    expect(ledger.opened).toBe(1)
    expect(sessions.snapshot().counts.leases).toBe(1)
    await lease.release()
  })

  test("L8: background work holds the session, takes no slot, and ends by its clock when nothing is heard of it", async () => {
    const { clock, sessions, story } = world({ idleTimeout: 1000, timeouts: { silence: 10_000, grace: 500 } })
    await sessions.run("a", (_, task) => void task.background("never", () => gate().promise))
    expect(await sessions.run("a", serialOf)).toBe(1)
    await clock.advance(9_999)
    expect(sessions.explain("a").alive.map((one) => `${one.kind} ${one.name}`)).toEqual(["background never"])
    await clock.advance(501)
    expect(sessions.explain("a").alive).toEqual([])
    await clock.advance(1000)
    expect(story()).toContain("Closing Idle")
    // It never really ends, so what it was started on cannot be called closed before the deadline.
    expect(sessions.explain("a").state).toBe("Closing")
    await clock.advance(15_000)
    expect(sessions.snapshot().counts).toMatchObject({ Closing: 0, leaked: 1 })
  })
})

const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )
