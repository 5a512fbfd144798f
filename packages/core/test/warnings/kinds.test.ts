import { describe, expect, test } from "vitest"
import { promiseFace } from "../../src/testing/laws/world.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { leaking } from "../support/leaking.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"
import { watching } from "./support.ts"

/** May be moved on while it advances, and never goes back. */
const forwardClock = (): VirtualClock => {
  const clock = new VirtualClock()
  let now = 0
  return Object.defineProperty(clock, "now", {
    get: () => now,
    set: (to: number) => {
      now = Math.max(now, to)
    },
  })
}

describe.each(faces)("$face", ({ world }) => {
  test("L16 L6: queue-wait, when turns wait longer than a second and than twice their runs; it clears with the next minute", async () => {
    const w = world()
    using it = watching(w)
    for (let n = 0; n < 60; n++)
      void watch(
        w.clock,
        w.sessions.run("a", () => w.clock.after(100)),
      )
    expect(await it.until("queue-wait", true)).toBeLessThanOrEqual(10)
    const { evidence } = it.one("queue-wait") ?? {}
    expect(evidence?.["waitMs"]).toBeGreaterThan(1000)
    expect(evidence?.["runMs"]).toBeLessThan(200)
    expect(it.one("queue-wait")).toMatchObject({ scope: "kind", session: undefined, kind: w.sessions.name })
    for (let n = 0; n < 100; n++) {
      void watch(
        w.clock,
        w.sessions.run("b", () => 1),
      )
      await w.clock.advance(1000)
    }
    expect(it.raised()).toEqual([])
  })

  test("L16 L6: queue-wait says nothing of fewer than fifty tasks, of short waits, or of runs that are as long", async () => {
    for (const [tasks, takes] of [
      [40, 100],
      [60, 10],
    ] as const) {
      const w = world({ maxQueued: 100 })
      using it = watching(w, { thresholds: { "pending-high": false } })
      for (let n = 0; n < tasks; n++)
        void watch(
          w.clock,
          w.sessions.run("a", () => w.clock.after(takes)),
        )
      await w.clock.advance(30_000)
      expect([tasks, takes, it.warnings.counts()["queue-wait"].activations]).toEqual([tasks, takes, 0])
    }
    const w = world()
    using it = watching(w)
    for (let n = 0; n < 30; n++) {
      for (let turn = 0; turn < 2; turn++)
        void watch(
          w.clock,
          w.sessions.run(`k${n}`, () => w.clock.after(5000)),
        )
    }
    await w.clock.advance(30_000)
    expect(it.warnings.counts()["queue-wait"].activations).toBe(0)
  })

  test("L16 L13: orphan-task, when a task is abandoned and goes on; its late end clears it", async () => {
    const w = world({ timeouts: { silence: 2000, grace: 1000, close: 3000 } })
    using it = watching(w)
    const held = gate()
    void watch(
      w.clock,
      w.sessions.run("a", () => held.promise),
    )
    await w.clock.advance(3000)
    expect(it.raised()).toEqual([])
    expect(await it.until("orphan-task", true)).toBeLessThanOrEqual(3)
    expect(it.one("orphan-task")).toMatchObject({ severity: "error", evidence: { tasks: 1 } })
    held.open()
    expect(await it.until("orphan-task", false)).toBeLessThanOrEqual(8)
  })

  test("L16 L4: orphan-task, when something of a closed session has not ended", async () => {
    const w = leaking(world)({})
    using it = watching(w, { thresholds: { "close-slow": false } })
    await w.use("a").promise
    void watch(w.clock, w.sessions.close("a"))
    expect(await it.until("orphan-task", true)).toBeLessThanOrEqual(3)
    expect(it.one("orphan-task")).toMatchObject({ evidence: { tasks: 0, generations: 1 } })
    w.ends(1)
    expect(await it.until("orphan-task", false)).toBe(6)
  })

  test("L16 L4: orphan-task outlasts the drain of its registry, and clears with what leaked", async () => {
    const w = leaking(world)({})
    using it = watching(w, { thresholds: { "drain-stuck": false } })
    await w.use("a").promise
    const drained = watch(w.clock, w.sessions.drain({ finishWithin: 0 }))
    await w.clock.advance(10_000)
    expect([drained.outcome, it.raised()]).toEqual(["value [object Object]", ["orphan-task"]])
    w.ends(1)
    await w.clock.advance(1000)
    expect(it.raised()).toEqual([])
    expect(it.warnings.counts()["orphan-task"]).toEqual({ active: 0, muted: 0, activations: 1 })
  })

  test("L16 L5: unobserved-failure, when background work fails; it clears five minutes later, and turns that fail raise none", async () => {
    const w = world()
    using it = watching(w)
    const fail = async (): Promise<never> => {
      throw new Error("nobody hears")
    }
    void watch(w.clock, w.sessions.run("a", fail))
    await w.clock.advance(5000)
    expect(it.raised()).toEqual([])
    await w.sessions.run("a", (_, task) => task.background("sync", fail))
    expect(await it.until("unobserved-failure", true)).toBe(1)
    expect(it.one("unobserved-failure")).toMatchObject({ scope: "kind", evidence: { failures: 1, total: 1 } })
    expect(await it.until("unobserved-failure", false, 400)).toBeGreaterThan(220)
  })

  test("L16 L8: reuse-low, when for a minute most of a hundred uses open a session; it clears as sessions are used again", async () => {
    const w = world()
    using it = watching(w, { thresholds: { "key-suspect": false } })
    for (let n = 0; n < 51; n++) {
      await w.sessions.run(`k${n}`, () => 1)
      if (n < 48) await w.sessions.run(`k${n}`, () => 1)
    }
    await w.clock.advance(70_000)
    // One use too few.
    expect(it.raised()).toEqual([])
    await w.sessions.run("another", () => 1)
    expect(await it.until("reuse-low", true)).toBe(60)
    expect(it.one("reuse-low")).toMatchObject({ evidence: { uses: 100, reused: 48, share: 0.48 } })
    for (let n = 0; n < 10; n++) await w.sessions.run("another", () => 1)
    expect(await it.until("reuse-low", false, 200)).toBe(180)
  })

  test("L16 L8: half of the uses is reuse enough", async () => {
    const w = world()
    using it = watching(w)
    for (let n = 0; n < 60; n++) for (let use = 0; use < 2; use++) await w.sessions.run(`k${n}`, () => 1)
    await w.clock.advance(150_000)
    expect(it.warnings.counts()["reuse-low"].activations).toBe(0)
  })

  test("L16: what is told of the last minutes clears when nobody comes any more", async () => {
    const w = world()
    using it = watching(w)
    for (let n = 0; n < 220; n++) {
      await w.sessions.run(`k${n}`, () => 1)
      if (n % 20 === 19) await w.clock.advance(1000)
    }
    for (let n = 0; n < 60; n++)
      void watch(
        w.clock,
        w.sessions.run("a", () => w.clock.after(100)),
      )
    const seen = new Set<string>()
    for (let second = 0; second < 600; second++) {
      await w.clock.advance(1000)
      for (const name of it.raised()) seen.add(name)
    }
    expect([...seen].toSorted()).toEqual(["queue-wait", "reuse-low"])
    expect(it.raised()).toEqual([])
  })

  test("L16: a start that opens many sessions is no low reuse, nor are their keys suspect", async () => {
    const w = world()
    using it = watching(w)
    for (let second = 0; second < 120; second++) {
      for (let n = 0; n < 5; n++) if (second < 50) await w.sessions.run(`k${second * 5 + n}`, () => 1)
      for (let n = 0; n < 6; n++) await w.sessions.run(`k${(second * 7 + n) % 30}`, () => 1)
      await w.clock.advance(1000)
    }
    expect(it.warnings.recent()).toEqual([])
  })

  test("L16 L1: uses that share an opening are no low reuse", async () => {
    const opened = gate()
    const w = world({}, () => opened.promise)
    using it = watching(w, { thresholds: { "creation-stampede": false } })
    for (let n = 0; n < 25; n++)
      for (let use = 0; use < 5; use++)
        void watch(
          w.clock,
          w.sessions.run(`k${n}`, () => 1),
        )
    opened.open()
    await w.clock.advance(5000)
    expect(it.raised()).toEqual([])
  })

  test("L16 L9: capacity, when sessions in use hold nine tenths of the places for 10 s; idle ones make room", async () => {
    const w = world({ maxSessions: 10, idleTimeout: "1 hour" })
    using it = watching(w)
    const held = gate()
    for (let n = 0; n < 10; n++) await w.sessions.run(`k${n}`, () => 1)
    for (let n = 0; n < 8; n++)
      void watch(
        w.clock,
        w.sessions.run(`k${n}`, () => held.promise),
      )
    await w.clock.advance(20_000)
    expect(it.raised()).toEqual([])
    void watch(
      w.clock,
      w.sessions.run("k8", () => held.promise),
    )
    expect(await it.until("capacity", true)).toBe(10)
    expect(it.one("capacity")).toMatchObject({ evidence: { held: 9, idle: 1, maxSessions: 10, refused: 0 } })
    held.open()
    expect(await it.until("capacity", false)).toBe(30)
  })

  test("L16 L9: capacity, at once, when somebody is refused for want of a place; a minute without that clears it", async () => {
    const w = world({ maxPerOwner: 1 })
    using it = watching(w)
    const held = gate()
    void watch(
      w.clock,
      w.sessions.run({ owner: "o", id: "1" }, () => held.promise),
    )
    const refused = watch(
      w.clock,
      w.sessions.run({ owner: "o", id: "2" }, () => 1),
    )
    await w.clock.advance(4000)
    expect(it.raised()).toEqual([])
    await w.clock.advance(2000)
    expect([refused.outcome, it.raised()]).toEqual(["SessionRefused MaxPerOwner", ["capacity"]])
    expect(it.one("capacity")?.evidence).toMatchObject({ refused: 1 })
    expect(await it.until("capacity", false)).toBeGreaterThan(60)
    held.open()
  })

  test("L16 L14: drain-stuck, when a drain has used four fifths of what it may and sessions remain; it clears when it has ended", async () => {
    const w = world({ timeouts: { grace: 5000, close: 15_000 } })
    using it = watching(w, { thresholds: { "close-slow": false, uninterruptible: false } })
    void watch(
      w.clock,
      w.sessions.run("a", () => gate().promise),
    )
    await w.clock.advance(1000)
    const drained = watch(w.clock, w.sessions.drain({ finishWithin: 30_000 }))
    // 30 s of finishWithin, 5 s of grace, 15 s of close.
    await w.clock.advance(40_000)
    expect(it.one("drain-stuck")).toBeUndefined()
    expect(await it.until("drain-stuck", true)).toBe(1)
    expect(it.one("drain-stuck")).toMatchObject({
      scope: "kind",
      severity: "error",
      evidence: { elapsedMs: 41_000, allowedMs: 50_000, sessions: 1, running: 0 },
    })
    await w.clock.advance(10_000)
    expect([drained.at, it.one("drain-stuck"), it.raised()]).toEqual([51_000, undefined, ["orphan-task"]])
  })

  test("L16 L14: drain-stuck is not raised by a drain that ends in time, nor by one whose time has no end", async () => {
    const w = world({ timeouts: { grace: 5000, close: 15_000 } })
    using it = watching(w)
    void watch(
      w.clock,
      w.sessions.run("a", () => w.clock.after(25_000)),
    )
    await w.clock.advance(1000)
    const drained = watch(w.clock, w.sessions.drain({ finishWithin: 30_000 }))
    await w.clock.advance(60_000)
    expect([drained.at, it.warnings.counts()["drain-stuck"].activations]).toEqual([25_000, 0])

    const endless = world()
    using its = watching(endless, { thresholds: { "task-overdue": false, "task-no-progress": false } })
    void watch(
      endless.clock,
      endless.sessions.run("a", () => gate().promise, { silence: "Infinity" }),
    )
    void watch(endless.clock, endless.sessions.drain({ finishWithin: "Infinity" }))
    await endless.clock.advance(600_000)
    expect(its.raised()).toEqual([])
  })

  test("L16: key-suspect, when for a minute nearly each use brings a key of its own; it clears when keys come again", async () => {
    const w = world({ idleTimeout: 1000 })
    using it = watching(w, { thresholds: { "reuse-low": false, "session-flapping": false } })
    const use = async (key: (n: number) => string, count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        await w.sessions.run(key(n), () => 1)
        if (n % 20 === 19) await w.clock.advance(1000)
      }
    }
    await use((n) => `request-${n}`, 180)
    await w.clock.advance(70_000)
    expect(it.raised()).toEqual([])
    await use((n) => `other-${n}`, 40)
    expect(await it.until("key-suspect", true)).toBeLessThanOrEqual(60)
    expect(it.one("key-suspect")).toMatchObject({ evidence: { uses: 220, opened: 220 } })
    await use(() => "same", 200)
    expect(await it.until("key-suspect", false, 200)).toBeLessThanOrEqual(180)
  })

  test("L16: key-suspect is not raised by a few keys that are closed after each use", async () => {
    const w = world({ idleTimeout: 1500 })
    using it = watching(w, { thresholds: { "reuse-low": false, "session-flapping": false } })
    for (let round = 0; round < 40; round++)
      for (let n = 0; n < 15; n++) {
        await w.sessions.run(`k${n}`, () => 1)
        await w.clock.advance(200)
      }
    expect(w.registry.monitor.acquisitions).toMatchObject({ miss: 600, hit: 0 })
    expect(it.warnings.counts()["key-suspect"].activations).toBe(0)
  })
})

// On the Effect face finalizers are fibers: many sessions begin to close before the first of them works.
describe("Promise face", () => {
  const { world } = promiseFace

  test("L16 L8: idle-not-evicted, while synchronous finalizers hold up a wave of closings; it clears when they are through", async () => {
    const clock = forwardClock()
    let slow = true
    const w = world(
      { idleTimeout: 1000 },
      ({ onClose }) =>
        onClose(() => {
          // The event loop stands still.
          if (slow) clock.now += 300
        }),
      clock,
    )
    using it = watching(w, { thresholds: { "telemetry-lossy": false } })
    for (let n = 0; n < 400; n++) await w.sessions.run(`k${n}`, () => 1)
    expect(await it.until("idle-not-evicted", true, 20)).toBeDefined()
    expect(it.one("idle-not-evicted")?.evidence["idleTimeoutMs"]).toBe(1000)
    expect(it.one("idle-not-evicted")?.evidence["idleMs"]).toBeGreaterThan(2000)
    expect(it.one("idle-not-evicted")?.evidence["idleMs"]).toBeLessThan(90_000)
    slow = false
    expect(await it.until("idle-not-evicted", false, 20)).toBeDefined()
    for (let n = 0; n < 400; n++) await w.sessions.run(`k${n}`, () => 1)
    await clock.advance(20_000)
    expect(it.warnings.counts()["idle-not-evicted"].activations).toBe(1)
  })
})
