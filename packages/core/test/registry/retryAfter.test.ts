import { describe, expect, test } from "vitest"
import type { Policy } from "../../src/SessionOptions.ts"
import type { Opening } from "../../src/Sessions.ts"
import { gate, world, type Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch, type Watched } from "../support/watch.ts"

const make = (policy?: Policy, before?: (opening: Opening) => unknown) => {
  const w = world(policy, before)
  const { clock, sessions } = w
  const run = (
    key: Parameters<typeof sessions.run>[0],
    work: (thing: Thing) => unknown = () => {},
  ): Watched => watch(clock, sessions.run(key, work))
  return {
    ...w,
    run,
    /** A turn of so many milliseconds, to its end. */
    lasting: async (key: string, ms: number): Promise<void> => {
      run(key, () => clock.after(ms))
      await clock.advance(ms)
    },
    /** One that runs until the gate opens. */
    busy: (key: Parameters<typeof sessions.run>[0]) => {
      const held = gate()
      run(key, () => held.promise)
      return held
    },
    refused: async (call: Watched, reason: string): Promise<unknown> => {
      await settle()
      expect(call.outcome).toBe(`SessionRefused ${reason}`)
      return fieldOf(call, "retryAfter")
    },
  }
}

describe("L17: retryAfter", () => {
  test("L17: Busy: when a turn of the usual length will have ended; never less than 100 ms, nor more than a minute", async () => {
    const means: Array<unknown> = []
    for (const lengths of [[], [10], [300, 500], [400, 400, 1000], [3_600_000]]) {
      const { busy, lasting, refused, run } = make({ whenBusy: "reject", timeouts: { silence: "Infinity" } })
      for (const length of lengths) await lasting("a", length)
      busy("a")
      await settle()
      means.push(await refused(run("a"), "Busy"))
    }
    expect(means).toEqual([100, 100, 400, 600, 60_000])
  })

  test("L17: what was refused, only waited, or was a lease makes no turn look shorter", async () => {
    const { busy, clock, lasting, refused, run, sessions } = make({ whenBusy: "reject" })
    await lasting("a", 900)
    for (let count = 0; count < 20; count++) await (await sessions.lease("a")).release()
    busy("a")
    await settle()
    for (let count = 0; count < 20; count++) run("a")
    await clock.advance(5)
    expect(await refused(run("a"), "Busy")).toBe(900)
  })

  test("L17: MaxQueued: when those ahead will be through, `concurrency` of them at a time", async () => {
    const told: Array<unknown> = []
    for (const [concurrency, maxQueued] of [
      [1, 0],
      [1, 1],
      [1, 5],
      [2, 5],
      [5, 5],
    ] as const) {
      const { busy, lasting, refused, run } = make({ concurrency, maxQueued })
      await lasting("a", 400)
      for (let count = 0; count < concurrency; count++) busy("a")
      await settle()
      for (let count = 0; count < maxQueued; count++) run("a")
      told.push(await refused(run("a"), "MaxQueued"))
    }
    expect(told).toEqual([400, 400, 2000, 1200, 400])
  })

  test("L17: MaxSessions: when a turn of the usual length ends and its session closes; only the close, when one is under way", async () => {
    const w = make({ maxSessions: 2, timeouts: { seat: 50, close: 15_000 } }, (opening) => {
      opening.onClose(() => clock.after(opening.key === "slow" ? 5000 : 300))
    })
    const { busy, clock, lasting, refused, run, sessions } = w
    await lasting("a", 700)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(300)
    expect(closed.outcome).toContain("value")
    busy("b")
    busy("c")
    await settle()
    const full = run("d")
    await clock.advance(50)
    expect(await refused(full, "MaxSessions")).toBe(1000)
    void sessions.close("b")
    await settle()
    const coming = run("d")
    await clock.advance(50)
    expect(await refused(coming, "MaxSessions")).toBe(300)
  })

  test("L17: MaxPerOwner: the same among the owner's own; what others close is of no use to it", async () => {
    const w = make({ maxPerOwner: 1, timeouts: { seat: 50, grace: 0 } }, (opening) => {
      opening.onClose(() => clock.after(300))
    })
    const { busy, clock, lasting, refused, run, sessions } = w
    await lasting("x", 700)
    void sessions.close("x")
    await clock.advance(300)
    const [alice, bob] = ["alice", "bob"].map((owner) => ({ owner, id: "1" }))
    busy(alice ?? "")
    busy(bob ?? "")
    await settle()
    void sessions.close(bob ?? "")
    await clock.advance(1)
    const refusedAlice = run({ owner: "alice", id: "2" })
    const refusedBob = run({ owner: "bob", id: "2" })
    await clock.advance(50)
    expect(await refused(refusedBob, "MaxPerOwner")).toBe(300)
    expect(await refused(refusedAlice, "MaxPerOwner")).toBe(1000)
  })

  test("L17, L11: Quarantined: what is left of it; all of it, while what was lost still closes", async () => {
    const closing = gate()
    const w = make({ restart: { times: 0, quarantine: 10_000 } }, (opening) =>
      opening.onClose(() => closing.promise),
    )
    const { clock, refused, run } = w
    const found = gate()
    run("a", (thing) => found.promise.then(() => thing.opening.broken("dead")))
    await settle()
    const queued = run("a")
    found.open()
    expect(await refused(queued, "Quarantined")).toBe(10_000)
    expect(await refused(run("a"), "Quarantined")).toBe(10_000)
    await clock.advance(2500)
    expect(await refused(run("a"), "Quarantined")).toBe(10_000)
    closing.open()
    await settle()
    const told: Array<unknown> = []
    for (const wait of [0, 1, 4000, 5998]) {
      await clock.advance(wait)
      told.push(await refused(run("a"), "Quarantined"))
    }
    expect(told).toEqual([10_000, 9999, 5999, 1])
    await clock.advance(1)
    const trial = run("a")
    await settle()
    expect(trial.outcome).toBe("value undefined")
  })

  test("L17: QueueTimeout: a turn of the usual length later", async () => {
    const { busy, clock, lasting, refused, run } = make({ timeouts: { queue: 1000 } })
    await lasting("a", 250)
    busy("a")
    await settle()
    const queued = run("a")
    await clock.advance(1000)
    expect(await refused(queued, "QueueTimeout")).toBe(250)
  })

  test("L17: Closed: at once. Draining, NotFound, LeaseEnded: trying again does not help", async () => {
    const { busy, clock, refused, run, sessions } = make()
    const lease = await sessions.lease("a")
    busy("a")
    await settle()
    const queued = run("a")
    void sessions.close("a")
    await clock.advance(10_000)
    expect(await refused(queued, "Closed")).toBe(0)
    expect(
      await refused(
        watch(
          clock,
          lease.run(() => {}),
        ),
        "LeaseEnded",
      ),
    ).toBeUndefined()
    const missing = watch(
      clock,
      sessions.run("nobody", () => {}, { mustExist: true }),
    )
    expect(await refused(missing, "NotFound")).toBeUndefined()
    void sessions.drain()
    expect(await refused(run("a"), "Draining")).toBeUndefined()
  })

  test("L17, L10: an opening that failed: what is left of its delay, doubling, and in whole milliseconds", async () => {
    const w = make({ restart: { delay: 1001 }, timeouts: { seat: 1000 } }, () => {
      throw new Error("no database")
    })
    const { clock, run } = w
    const told: Array<unknown> = []
    const call = async (): Promise<void> => {
      const failed = run("a")
      await settle()
      expect(failed.outcome).toBe("SessionOpenFailed Failed")
      told.push(fieldOf(failed, "retryAfter"))
    }
    await call()
    await clock.advance(751)
    await call()
    // Too long to wait for: told at the door, each time what is left.
    await call()
    await clock.advance(500)
    await call()
    expect(told).toEqual([751, 1502, 1502, 1002])
  })
})
