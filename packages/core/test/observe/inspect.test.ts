import { describe, expect, test } from "vitest"
import { inspectionOf, liveRegistries, watchRegistries } from "../../src/inspect.ts"
import { createSessions } from "../../src/index.ts"
import type { AnySessions } from "../../src/Sessions.ts"
import type { Inspection } from "../../src/observe/Inspection.ts"
import { faces, type Face } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { losing } from "../support/losing.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

/** The world's `sessions` may be a copy with a face of its own. */
const inspect = (w: { readonly sessions: { readonly name: string } }): Inspection => {
  const sessions = liveRegistries().find(({ name }) => name === w.sessions.name)
  const inspection = sessions === undefined ? undefined : inspectionOf(sessions)
  if (inspection === undefined) throw new Error("nothing to inspect")
  return inspection
}
const moved = (counts: object): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const serialOf = (thing: { readonly serial: number }): number => thing.serial

/** A world that is drained at the end, however the test ends. */
const inWorld =
  (world: Face["world"]) =>
  (...setup: Parameters<Face["world"]>): World<Thing> & AsyncDisposable => {
    const w = world(...setup)
    return {
      ...w,
      [Symbol.asyncDispose]: async () => {
        const drained = w.sessions.drain({ finishWithin: 0 })
        await w.clock.advance(120_000)
        await drained
      },
    }
  }

describe.each(faces)("$face", ({ world }) => {
  const make = inWorld(world)

  test("L16: before anything happens all is 0, the limits are the policy's, and the name is the registry's", async () => {
    await using w = make({ maxSessions: 7, idleTimeout: 3000 })
    const { durations, gauges, limits, name, oldestTaskSince, tasks, totals } = inspect(w)
    const { acquisitions, ends, openings, outcomes, probes, refusals, stops } = totals
    for (const counts of [
      acquisitions,
      ends,
      openings.first,
      openings.again,
      outcomes,
      probes,
      refusals,
      stops,
    ])
      expect([moved(counts), Object.keys(counts).length > 1]).toEqual([{}, true])
    const { abandoned, defects, droppedEvents, late, leaks, listenerErrors, lost } = totals
    expect([abandoned, defects, droppedEvents, late, leaks, listenerErrors, lost]).toEqual([
      0, 0, 0, 0, 0, 0, 0,
    ])
    expect(Object.values(durations).length).toBeGreaterThan(0)
    for (const which of ["waits", "runs", "stopping", "opens", "closes", "lifetimes"] as const)
      expect(durations[which]).toMatchObject({ count: 0, sum: 0 })
    const { sessions, ...now } = gauges()
    expect([moved(sessions), moved({ ...now, oldestIdleSince: 0 })]).toEqual([{}, {}])
    expect([[...tasks()], oldestTaskSince()]).toEqual([[], undefined])
    expect([name, limits.maxSessions, limits.idleTimeout]).toEqual([w.sessions.name, 7, 3000])
  })

  test("L16 L2: hit, joined and miss; waiting, running and idle as they change", async () => {
    const opening = gate()
    await using w = make({ idleTimeout: 60_000 }, () => opening.promise)
    const { gauges, oldestTaskSince, totals } = inspect(w)
    const held = gate()
    const first = watch(
      w.clock,
      w.sessions.run("a", () => held.promise),
    )
    await settle()
    const second = watch(w.clock, w.sessions.run("a", serialOf))
    await settle()
    expect(gauges()).toMatchObject({ sessions: { Opening: 1, Ready: 0 }, queued: 2, running: 0, idle: 0 })
    opening.open()
    await w.clock.advance(500)
    expect(gauges()).toMatchObject({ sessions: { Opening: 0, Ready: 1 }, queued: 1, running: 1, idle: 0 })
    expect(gauges().oldestIdleSince).toBeUndefined()
    const [running] = tasksOf(w)
    expect(oldestTaskSince()).toBe(running)
    held.open()
    await w.clock.advance(0)
    const third = watch(w.clock, w.sessions.run("a", serialOf))
    await w.clock.advance(1000)
    expect([first.outcome, second.outcome, third.outcome]).toEqual(["value undefined", "value 1", "value 1"])
    expect(totals.acquisitions).toEqual({ hit: 1, joined: 1, miss: 1 })
    const { closesAt = 0 } = w.sessions.explain("a")
    expect(gauges()).toMatchObject({ queued: 0, running: 0, idle: 1, oldestIdleSince: closesAt - 60_000 })
    expect(oldestTaskSince()).toBeUndefined()
  })

  test("L16: of the tasks, by name: started, how each ended, how long they waited and ran", async () => {
    await using w = make({ timeouts: { grace: 100 } })
    const { durations, tasks, totals } = inspect(w)
    const held = gate()
    const calls = [
      w.sessions.run("a", () => held.promise, { name: "read" }),
      w.sessions.run("a", () => Promise.reject(new Error("bad")), { name: "write" }),
      w.sessions.run("a", (_, { signal }) => untilStopped(signal), { name: "write", timeout: 5000 }),
    ].map((call) => watch(w.clock, call))
    await w.clock.advance(2000)
    held.open()
    await w.clock.advance(10_000)
    expect(calls.map(({ outcome }) => outcome)).toEqual([
      "value undefined",
      "error bad",
      "TaskStopped Timeout",
    ])
    expect(moved(totals.outcomes)).toEqual({ succeeded: 1, failed: 1, timedOut: 1 })
    expect(
      [...tasks()].map(({ name, outcomes, runs, started }) => [name, started, moved(outcomes), runs.sum]),
    ).toEqual([
      ["read", 1, { succeeded: 1 }, 2000],
      ["write", 2, { failed: 1, timedOut: 1 }, 3000],
    ])
    expect(durations.waits).toMatchObject({ count: 3, sum: 4000 })
    expect(durations.waits.upTo([1000, 2500])).toEqual([1, 3])
    expect(durations.runs).toMatchObject({ count: 3, sum: 5000 })
    expect(moved(totals.stops)).toEqual({ Timeout: 1 })
  })

  test("L16 L21: stops by reason, and from being told to the real end, or until it is given up", async () => {
    await using w = make({ timeouts: { grace: 1000 }, concurrency: 3 })
    const { durations, totals } = inspect(w)
    const late = gate()
    const calls = [
      w.sessions.run("a", async (_, { signal }) => untilStopped(signal)),
      w.sessions.run("a", () => late.promise),
    ].map((call) => watch(w.clock, call))
    await w.clock.advance(10)
    const closed = watch(w.clock, w.sessions.close("a"))
    await w.clock.advance(20_000)
    expect(closed.outcome).toContain("value")
    expect(calls.map(({ outcome }) => outcome)).toEqual(["TaskStopped Closed", "TaskStopped Closed"])
    expect(moved(totals.stops)).toEqual({ Closed: 2 })
    expect(durations.stopping).toMatchObject({ count: 2, sum: 1000 })
    const { abandoned, late: before } = inspect(w).totals
    expect([abandoned, before]).toEqual([1, 0])
    late.open()
    await w.clock.advance(10)
    expect([inspect(w).totals.abandoned, inspect(w).totals.late]).toEqual([1, 1])
  })

  test("L16 L13: refusals by reason; what is refused is no acquisition", async () => {
    await using w = make({ maxQueued: 1 })
    const { totals } = inspect(w)
    const held = gate()
    const running = watch(
      w.clock,
      w.sessions.run("a", () => held.promise),
    )
    await w.clock.advance(0)
    const calls = [
      w.sessions.run("a", serialOf),
      w.sessions.run("a", serialOf),
      w.sessions.run("a", serialOf, { whenBusy: "reject" }),
      w.sessions.run("b", serialOf, { mustExist: true }),
    ].map((call) => watch(w.clock, call))
    await w.clock.advance(0)
    held.open()
    await w.clock.advance(0)
    expect([running, ...calls].map(({ outcome }) => outcome)).toEqual([
      "value undefined",
      "value 1",
      "SessionRefused MaxQueued",
      "SessionRefused Busy",
      "SessionRefused NotFound",
    ])
    expect(moved(totals.refusals)).toEqual({ MaxQueued: 1, Busy: 1, NotFound: 1 })
    expect(moved(totals.acquisitions)).toEqual({ miss: 1, hit: 1 })
  })

  test("L16 L10: openings, the first of a stay and those after, by how they ended", async () => {
    const outcomes: Array<() => unknown> = [
      () => undefined,
      () => Promise.reject(new Error("no database")),
      () => new Promise(() => {}),
    ]
    await using w = make({ timeouts: { open: 1000, close: 100 }, restart: { times: 3 } }, () =>
      outcomes.shift()?.(),
    )
    const { durations, totals } = inspect(w)
    const use = async (key: string, forMs: number) => {
      const call = watch(w.clock, w.sessions.run(key, serialOf))
      await w.clock.advance(forMs)
      return call.outcome
    }
    expect(await use("a", 10)).toBe("value 1")
    expect(await use("b", 10)).toContain("SessionOpenFailed Failed")
    expect(await use("c", 3000)).toContain("SessionOpenFailed TimedOut")
    expect(totals.openings).toEqual({
      first: { succeeded: 1, failed: 1, timedOut: 1, cancelled: 0 },
      again: { succeeded: 0, failed: 0, timedOut: 0, cancelled: 0 },
    })
    expect(durations.opens.count).toBe(1)
    // Whoever waits makes it the same stay.
    const broken = watch(
      w.clock,
      w.sessions.run("a", (thing) => thing.opening.broken(new Error("gone"))),
    )
    expect(await use("a", 5000)).toMatch(/^value/)
    expect(broken.outcome).not.toBe("pending")
    expect(inspect(w).totals.openings.again).toEqual({ succeeded: 1, failed: 0, timedOut: 0, cancelled: 0 })
  })

  test("L16 L8: ends by reason, how long they took, and how long the sessions had lived", async () => {
    await using w = make({ idleTimeout: 1000 })
    const { durations, totals } = inspect(w)
    for (const key of ["a", "b"]) void watch(w.clock, w.sessions.run(key, serialOf))
    await w.clock.advance(400)
    const closed = watch(w.clock, w.sessions.close("a"))
    await w.clock.advance(5000)
    expect(closed.outcome).toContain("value")
    expect(moved(totals.ends)).toEqual({ Requested: 1, Idle: 1 })
    expect(durations.lifetimes).toMatchObject({ count: 2, sum: 1400 })
    expect(durations.closes.count).toBe(2)
  })

  test("L16 L10: lost, and the generation after it is opened again", async () => {
    const w = losing(world)({ restart: { times: 3 }, idleTimeout: "Infinity" })
    await w.lose()
    const next = w.use()
    await w.clock.advance(1000)
    expect(next.outcome).toBe("value 2")
    const { totals } = inspect(w)
    expect([totals.lost, moved(totals.ends), moved(totals.openings.again)]).toEqual([
      1,
      { Broken: 1 },
      { succeeded: 1 },
    ])
    const drained = w.sessions.drain({ finishWithin: 0 })
    await w.clock.advance(60_000)
    await drained
  })

  test("L16 L11: probes by answer", async () => {
    const answers = [true, false]
    await using w = make({ idleTimeout: "Infinity" }, (opening) =>
      opening.probe(() => answers.shift() ?? true),
    )
    for (let round = 0; round < 2; round++) {
      const fails = watch(
        w.clock,
        w.sessions.run("a", () => Promise.reject(new Error("odd"))),
      )
      await w.clock.advance(1000)
      expect(fails.outcome).toBe("error odd")
    }
    expect(inspect(w).totals.probes).toEqual({ good: 1, bad: 1 })
    expect(inspect(w).totals.lost).toBe(1)
  })

  test("L16 L21: what leaks is counted for good, and shown until it has ended", async () => {
    const hangs = gate()
    await using w = make({ timeouts: { close: 500 }, maxLeaked: 5 }, (opening) =>
      opening.onClose(() => hangs.promise),
    )
    const { gauges } = inspect(w)
    const use = watch(w.clock, w.sessions.run("a", serialOf))
    await w.clock.advance(0)
    expect(use.outcome).toBe("value 1")
    const closed = watch(w.clock, w.sessions.close("a"))
    await settle()
    expect(gauges().sessions).toMatchObject({ Closing: 1, Restarting: 0 })
    await w.clock.advance(1000)
    expect(closed.outcome).toContain("value")
    expect([inspect(w).totals.leaks, gauges().leaked]).toEqual([1, 1])
    hangs.open()
    await w.clock.advance(10)
    expect([inspect(w).totals.leaks, gauges().leaked]).toEqual([1, 0])
  })

  test("L16 L9: waiting for a seat, restarting, and an opening that nobody waits for any more", async () => {
    const hangs = gate()
    await using w = make({ maxSessions: 1, timeouts: { close: 500 } }, (opening) =>
      opening.key === "b"
        ? new Promise((_, reject) =>
            opening.signal.addEventListener("abort", () => reject(new Error("left"))),
          )
        : opening.onClose(() => hangs.promise),
    )
    const { gauges } = inspect(w)
    const held = gate()
    const first = watch(
      w.clock,
      w.sessions.run("a", () => held.promise),
    )
    await w.clock.advance(0)
    const leaves = new AbortController()
    const second = watch(w.clock, w.sessions.run("b", serialOf, { signal: leaves.signal }))
    await w.clock.advance(0)
    expect(moved(gauges().sessions)).toEqual({ Ready: 1, Waiting: 1 })
    const restarted = watch(w.clock, w.sessions.restart("a"))
    held.open()
    await w.clock.advance(0)
    expect(moved(gauges().sessions)).toMatchObject({ Restarting: 1 })
    await w.clock.advance(2000)
    // Told to stop, the one face takes what the work still returned, the other does not.
    expect(["value undefined", "TaskStopped Restarted"]).toContain(first.outcome)
    expect(restarted.outcome).toMatch(/^value/)
    expect(moved(gauges().sessions)).toEqual({ Opening: 1 })
    leaves.abort(new Error("left"))
    await w.clock.advance(1000)
    expect(second.outcome).toBe("error left")
    expect(inspect(w).totals.openings.first.cancelled).toBe(1)
    expect(moved(gauges().sessions)).toEqual({})
    hangs.open()
  })

  test("L16: leases are held, and are no tasks", async () => {
    await using w = make()
    const { gauges, tasks } = inspect(w)
    const lease = await w.sessions.lease("a")
    await w.clock.advance(0)
    expect(gauges()).toMatchObject({ leases: 1, idle: 0, running: 0 })
    await lease.release()
    await w.clock.advance(0)
    expect(gauges()).toMatchObject({ leases: 0, idle: 1, running: 0 })
    expect([...tasks()]).toEqual([])
  })

  test("L26: task names beyond 50 are other, and nothing of them is lost", async () => {
    await using w = make()
    for (let number = 0; number < 60; number++) {
      const call = watch(w.clock, w.sessions.run("a", serialOf, { name: `task ${number}` }))
      await w.clock.advance(0)
      expect(call.outcome).toBe("value 1")
    }
    const tasks = [...inspect(w).tasks()]
    expect(tasks).toHaveLength(51)
    expect(tasks.at(-1)).toMatchObject({ name: "other", started: 10, outcomes: { succeeded: 10 } })
    expect(tasks.reduce((sum, { runs }) => sum + runs.count, 0)).toBe(60)
  })

  test("L16 L18: live sessions and tasks, read as they are, and what ended last", async () => {
    await using w = make({ idleTimeout: 60_000 })
    const inspection = inspect(w)
    const held = gate()
    const parent = watch(
      w.clock,
      w.sessions.run("a", () => w.sessions.run("b", () => held.promise, { name: "inner" }), {
        name: "outer",
      }),
    )
    const waits = watch(w.clock, w.sessions.run("a", serialOf, { name: "next" }))
    await w.clock.advance(1000)
    const seen: Array<string> = []
    inspection.each((session) => seen.push(session.key))
    expect(seen.toSorted()).toEqual(["a", "b"])
    seen.length = 0
    inspection.each((session) => seen.push(session.key) < 1)
    expect(seen).toHaveLength(1)
    const [a, b] = ["a", "b"].map((key) => inspection.find(key))
    if (a === undefined || b === undefined) throw new Error("not found")
    expect([a.state, a.running, a.queued, a.turns, a.generation, a.leases]).toEqual(["Ready", 1, 1, 1, 1, 0])
    const [outer, next] = [...a.tasks()]
    const [inner] = [...b.tasks()]
    expect(outer).toMatchObject({ name: "outer", state: "running", waitsForCall: true, parent: undefined })
    expect(next).toMatchObject({ name: "next", state: "queued", startedAt: undefined })
    expect(inner?.parent).toEqual({ registry: inspection.name, key: "a", id: outer?.id, name: "outer" })
    expect(a.oldestTaskAt).toBe(outer?.queuedAt)
    expect(a.tasks()).not.toBe(a.tasks())
    expect([...w.sessions.explain("a").tasks].map(({ id }) => id)).toEqual([outer?.id, next?.id])
    // Kept, it goes on telling of its own session.
    const kept: Array<string> = []
    const views: Array<{ readonly key: string }> = []
    inspection.each((session) => {
      kept.push(session.key)
      views.push(session.keep())
    })
    expect(views.map(({ key }) => key)).toEqual(kept)
    held.open()
    await w.clock.advance(1000)
    expect([parent.outcome, waits.outcome]).toEqual(["value undefined", "value 1"])
    expect([a.isIdle, a.running, a.closesAt]).toEqual([true, 0, w.sessions.explain("a").closesAt])
    expect([...inspection.recent()].map(({ id, key, name, outcome }) => [id, key, name, outcome])).toEqual([
      [next?.id, "a", "next", "succeeded"],
      [outer?.id, "a", "outer", "succeeded"],
      [inner?.id, "b", "inner", "succeeded"],
    ])
    const closed = watch(w.clock, w.sessions.close("a"))
    await w.clock.advance(0)
    expect(closed.outcome).toContain("value")
    expect([a.state, a.openedAt, a.isIdle, [...a.tasks()]]).toEqual(["Closed", undefined, false, []])
    expect(inspection.find("a")).toBeUndefined()
  })

  test("L16: gauges, totals, tasks and the oldest of them look at no session", async () => {
    await using w = make()
    const { registry } = w
    const held = gate()
    const runs = watch(
      w.clock,
      w.sessions.run("a", () => held.promise),
    )
    await w.clock.advance(0)
    const inspection = inspect(w)
    const names = ["values", "entries", "forEach", "get", "keys", Symbol.iterator] as const
    /** How often `read` looks at the sessions. */
    const looksOf = (read: () => unknown): number => {
      let looks = 0
      const values = registry.sessions.values.bind(registry.sessions)
      const looked = () => {
        looks++
        return values()
      }
      for (const name of names)
        Object.defineProperty(registry.sessions, name, { value: looked, configurable: true })
      read()
      for (const name of names) Reflect.deleteProperty(registry.sessions, name)
      return looks
    }
    const all = () => {
      inspection.gauges()
      expect(inspection.oldestTaskSince()).toBeDefined()
      void [inspection.totals, inspection.durations, inspection.limits, ...inspection.tasks()]
    }
    expect(looksOf(all)).toBe(0)
    held.open()
    await w.clock.advance(0)
    expect(runs.outcome).toBe("value undefined")
  })
})

/** When its running tasks began, by what it says of itself. */
const tasksOf = (w: World<Thing>): ReadonlyArray<number | undefined> =>
  w.sessions.explain("a").tasks.flatMap(({ startedAt, state }) => (state === "running" ? [startedAt] : []))

describe("registries", () => {
  const open = () => ({})

  test("a watcher is told of those that are live and of each that comes, until it stops", async () => {
    await using early = createSessions({ name: "early", open })
    const seen: Array<AnySessions> = []
    const stop = watchRegistries((sessions) => seen.push(sessions))
    expect(seen).toContain(early)
    await using later = createSessions({ name: "later", open })
    expect(seen.at(-1)).toBe(later)
    stop()
    await using unseen = createSessions({ name: "unseen", open })
    expect(seen).not.toContain(unseen)
    expect(liveRegistries()).toEqual(expect.arrayContaining([early, later, unseen]))
    await later.drain()
    expect(liveRegistries()).not.toContain(later)
    // What it has counted can still be read.
    expect(inspectionOf(later)?.totals.lost).toBe(0)
  })

  test("what is no registry of ours has nothing to inspect", async () => {
    await using sessions = createSessions({ name: "ours", open })
    expect(inspectionOf({ ...sessions })).toBeUndefined()
    expect(Object.keys(sessions).concat(JSON.stringify(sessions)).join()).not.toContain("inspection")
  })
})
