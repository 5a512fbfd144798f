import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { watch } from "../support/watch.ts"
import { watching } from "./support.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L16 L1: slow-creation, when an opening takes more than 5 s; it clears once it is open", async () => {
    const opened = gate()
    const w = world({}, () => opened.promise)
    using it = watching(w)
    const calls = Array.from({ length: 3 }, () =>
      watch(
        w.clock,
        w.sessions.run("a", () => 1),
      ),
    )
    await w.clock.advance(5000)
    expect(it.raised()).toEqual([])
    expect(await it.until("slow-creation", true)).toBe(1)
    expect(it.one("slow-creation")).toMatchObject({
      session: { key: "a" },
      evidence: { elapsedMs: 6000, limitMs: 5000, usualMs: 0, waiters: 3 },
    })
    opened.open()
    expect(await it.until("slow-creation", false)).toBe(3)
    expect(calls.map(({ outcome }) => outcome)).toEqual(["value 1", "value 1", "value 1"])
  })

  test("L16 L1: slow-creation goes by what is usual once twenty openings have succeeded; it clears with the failure of the opening too", async () => {
    let takes = 4000
    const w = world({ timeouts: { open: "20 seconds" } }, () => w.clock.after(takes))
    using it = watching(w)
    for (let n = 0; n < 20; n++)
      void watch(
        w.clock,
        w.sessions.run(`k${n}`, () => 1),
      )
    await w.clock.advance(5000)
    takes = 60_000
    const late = watch(
      w.clock,
      w.sessions.run("late", () => 1),
    )
    await w.clock.advance(12_000)
    expect(it.raised()).toEqual([])
    expect(await it.until("slow-creation", true, 5)).toBeLessThanOrEqual(2)
    await w.clock.advance(15_000)
    expect([late.outcome, it.one("slow-creation")]).toEqual(["SessionOpenFailed TimedOut", undefined])
  })

  test("L16 L1: creation-stampede, when twenty wait for one session; it clears below ten", async () => {
    const opened = gate()
    const w = world({}, () => opened.promise)
    using it = watching(w)
    const [some, leave] = [new AbortController(), new AbortController()]
    const use = (signal?: AbortSignal): void =>
      void watch(
        w.clock,
        w.sessions.run("a", () => 1, { signal }),
      )
    for (let n = 0; n < 8; n++) use()
    for (let n = 0; n < 8; n++) use(some.signal)
    for (let n = 0; n < 3; n++) use(leave.signal)
    await w.clock.advance(3000)
    expect(it.raised()).toEqual([])
    use()
    expect(await it.until("creation-stampede", true)).toBe(1)
    expect(it.one("creation-stampede")).toMatchObject({
      scope: "key",
      session: { key: "a" },
      evidence: { waiters: 20 },
    })
    some.abort(new Error("gone"))
    await w.clock.advance(10_000)
    expect(it.one("creation-stampede")).toMatchObject({ evidence: { waiters: 20 } })
    leave.abort(new Error("gone"))
    expect(await it.until("creation-stampede", false)).toBe(3)
    opened.open()
  })

  test("L16 L8: lease-leak, when a lease has been silent for half of what it may; its release clears it", async () => {
    const w = world({ timeouts: { lease: "10 minutes" } })
    using it = watching(w)
    const lease = await w.sessions.lease("a")
    await w.clock.advance(200_000)
    await lease.run(() => 1)
    lease.progress()
    await w.clock.advance(298_000)
    expect(it.raised()).toEqual([])
    expect(await it.until("lease-leak", true)).toBeLessThanOrEqual(3)
    expect(it.one("lease-leak")).toMatchObject({
      session: { key: "a" },
      evidence: { leases: 1, silenceMs: 600_000 },
    })
    await lease.release()
    expect(await it.until("lease-leak", false)).toBeLessThanOrEqual(3)
    expect(it.watch.kept).toBe(0)
  })

  test("L16 L8: lease-leak is not raised while the session works, nor of a lease that may be silent for ever", async () => {
    const w = world({ timeouts: { lease: "10 minutes" } })
    using it = watching(w, { thresholds: { "task-overdue": false, "task-no-progress": false } })
    const declared = await w.sessions.lease("declared", { silence: "Infinity" })
    const busy = await w.sessions.lease("busy")
    const held = gate()
    void watch(
      w.clock,
      w.sessions.run("busy", () => held.promise, { silence: "Infinity" }),
    )
    await w.clock.advance(570_000)
    expect(it.raised()).toEqual([])
    held.open()
    await busy.release()
    await declared.release()
    await w.clock.advance(61_000)
    expect([it.raised(), it.watch.kept]).toEqual([[], 0])
  })

  test("L16 L11: unhealthy, when more than half of ten tasks fail; it clears as they succeed", async () => {
    const w = world()
    using it = watching(w)
    const use = async (fails: boolean): Promise<void> => {
      void watch(
        w.clock,
        w.sessions.run("a", () => {
          if (fails) throw new Error("bad")
        }),
      )
      await w.clock.advance(500)
    }
    for (let n = 0; n < 9; n++) await use(true)
    await w.clock.advance(1000)
    expect(it.raised()).toEqual([])
    await use(true)
    expect(await it.until("unhealthy", true)).toBeLessThanOrEqual(2)
    expect(it.one("unhealthy")).toMatchObject({
      severity: "error",
      session: { key: "a" },
      evidence: { failed: 10, ended: 10, losses: 0 },
    })
    for (let n = 0; n < 10; n++) await use(false)
    expect(await it.until("unhealthy", false, 10)).toBeLessThanOrEqual(3)
    await w.clock.advance(60_000)
    expect(it.watch.kept).toBe(0)
  })

  test("L16 L11: unhealthy is not raised by as many failures as successes, nor by those of many sessions together", async () => {
    const w = world()
    using it = watching(w)
    for (let n = 0; n < 40; n++) {
      void watch(
        w.clock,
        w.sessions.run("a", () => {
          if (n % 2 === 0) throw new Error("bad")
        }),
      )
      void watch(
        w.clock,
        w.sessions.run(`k${n}`, () => {
          throw new Error("bad")
        }),
      )
      await w.clock.advance(250)
    }
    await w.clock.advance(5000)
    expect(it.warnings.counts().unhealthy.activations).toBe(0)
  })

  test("L16 L11: unhealthy counts what came before the first failure", async () => {
    const w = world()
    using it = watching(w)
    for (let n = 0; n < 30; n++) {
      void watch(
        w.clock,
        w.sessions.run("a", () => {
          if (n >= 16) throw new Error("bad")
        }),
      )
      await w.clock.advance(500)
    }
    await w.clock.advance(2000)
    // 14 of 30.
    expect(it.warnings.counts().unhealthy.activations).toBe(0)
  })

  test("L16 L11: unhealthy, when a resource is lost for the third time within restart.within", async () => {
    const w = world({ restart: { delay: 0, within: "1 minute" } })
    using it = watching(w)
    const lose = async (): Promise<void> => {
      void watch(
        w.clock,
        w.sessions.run("a", (_, task) => task.broken(new Error("lost"))),
      )
      await w.clock.advance(2000)
    }
    await lose()
    await lose()
    expect(it.one("unhealthy")).toBeUndefined()
    await lose()
    expect(it.one("unhealthy")).toMatchObject({ evidence: { losses: 3 } })
    expect(await it.until("unhealthy", false)).toBeGreaterThan(50)
  })

  test("L16 L4: close-slow, when half of what a close may take has passed; it clears when the session is gone", async () => {
    const released = gate()
    const w = world({ timeouts: { grace: "10 seconds", close: "90 seconds" } }, ({ onClose }) =>
      onClose(() => released.promise),
    )
    using it = watching(w, { thresholds: { "close-slow": { share: 0.25 } } })
    await w.sessions.run("a", () => 1)
    await w.clock.advance(1000)
    const closed = watch(w.clock, w.sessions.close("a"))
    await w.clock.advance(25_000)
    expect(it.raised()).toEqual([])
    expect(await it.until("close-slow", true)).toBe(1)
    expect(it.one("close-slow")).toMatchObject({
      session: { key: "a" },
      evidence: { closingMs: 26_000, allowedMs: 100_000 },
    })
    released.open()
    await w.clock.advance(1000)
    expect([it.raised(), closed.outcome]).toEqual([[], "value [object Object]"])
  })

  test("L16 L4: close-slow goes by 10 s where a close has no deadline", async () => {
    const released = gate()
    const w = world({ timeouts: { close: "Infinity" } }, ({ onClose }) => onClose(() => released.promise))
    using it = watching(w)
    await w.sessions.run("a", () => 1)
    await w.clock.advance(1000)
    void watch(w.clock, w.sessions.close("a"))
    await w.clock.advance(10_000)
    expect(it.raised()).toEqual([])
    expect(await it.until("close-slow", true)).toBe(1)
    expect(it.one("close-slow")?.evidence["allowedMs"]).toBe(-1)
    released.open()
  })
})
