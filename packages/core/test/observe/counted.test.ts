/** What is counted for metrics beside what `inspect.test.ts` holds: waits, openings, stops and drains, and who is told of ends. */
import { AsyncLocalStorage } from "node:async_hooks"
import { describe, expect, test } from "vitest"
import { inspectionOf, liveRegistries } from "../../src/inspect.ts"
import type { Inspection } from "../../src/observe/Inspection.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

const inspect = (w: { readonly sessions: { readonly name: string } }): Inspection => {
  const sessions = liveRegistries().find(({ name }) => name === w.sessions.name)
  const inspection = sessions === undefined ? undefined : inspectionOf(sessions)
  if (inspection === undefined) throw new Error("nothing to inspect")
  return inspection
}
const drained = async (w: World<Thing>): Promise<void> => {
  const drain = watch(w.clock, w.sessions.drain({ finishWithin: 0 }))
  await w.clock.advance(120_000)
  expect(drain.outcome).toMatch(/^value/)
}
const serialOf = (thing: { readonly serial: number }): number => thing.serial
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const figures = ({ count, sum }: { readonly count: number; readonly sum: number }) => [count, sum]

describe.each(faces)("$face", ({ world }) => {
  test("L16 L1: until the session was ready: who caused the opening, who joined, leases too; hits are not in it", async () => {
    const opening = gate()
    const w = world({}, () => opening.promise)
    const { acquires } = inspect(w).durations
    const calls = [watch(w.clock, w.sessions.run("a", serialOf))]
    await w.clock.advance(400)
    calls.push(watch(w.clock, w.sessions.run("a", serialOf)), watch(w.clock, w.sessions.lease("a")))
    const leaves = new AbortController()
    const left = watch(w.clock, w.sessions.run("a", serialOf, { signal: leaves.signal }))
    await settle()
    leaves.abort(new Error("left"))
    await w.clock.advance(600)
    expect([acquires.miss, acquires.joined].map(figures)).toEqual([
      [0, 0],
      [0, 0],
    ])
    opening.open()
    await w.clock.advance(10)
    expect(left.outcome).toBe("error left")
    expect(calls.map(({ outcome }) => outcome.split(" ")[0])).toEqual(["value", "value", "value"])
    expect([acquires.miss, acquires.joined].map(figures)).toEqual([
      [1, 1000],
      [2, 1200],
    ])
    const held = gate()
    const turns = [
      watch(
        w.clock,
        w.sessions.run("a", () => held.promise),
      ),
    ]
    await settle()
    // It waits for its turn, in a session that is ready; its second generation is no wait for the first.
    turns.push(watch(w.clock, w.sessions.run("a", serialOf)))
    const restarted = watch(w.clock, w.sessions.restart("a", { finishWithin: 5000 }))
    await w.clock.advance(100)
    held.open()
    await w.clock.advance(1000)
    expect([restarted, ...turns].map(({ outcome }) => outcome.split(" ")[0])).not.toContain("pending")
    expect([acquires.miss, acquires.joined].map(figures)).toEqual([
      [1, 1000],
      [2, 1200],
    ])
    await drained(w)
  })

  test("L16 L12: who waits on for its turn, and for another generation, has waited for its session once", async () => {
    const w = world({ restart: { times: 3, delay: 0 } })
    const { acquires } = inspect(w).durations
    const held = gate()
    const calls = [
      watch(
        w.clock,
        w.sessions.run("a", () => held.promise),
      ),
      watch(w.clock, w.sessions.run("a", serialOf)),
    ]
    await w.clock.advance(1000)
    const restarted = watch(w.clock, w.sessions.restart("a"))
    await w.clock.advance(100)
    held.open()
    await w.clock.advance(10_000)
    expect([restarted.outcome.split(" ")[0], calls[1]?.outcome]).toEqual(["value", "value 2"])
    expect([acquires.miss, acquires.joined].map(figures)).toEqual([
      [1, 0],
      [1, 0],
    ])
    await drained(w)
  })

  test("L16 L10: how long openings took, by how they ended", async () => {
    const failing = () => Promise.reject(new Error("no database"))
    const w = world({ timeouts: { open: 1000, close: 100 } }, async (opening) => {
      if (opening.key === "fails") await failing()
      if (opening.key === "hangs") await untilStopped(opening.signal)
    })
    const { openingTimes, opens } = inspect(w).durations
    const leaves = new AbortController()
    const calls = [
      w.sessions.run("good", serialOf),
      w.sessions.run("fails", serialOf),
      w.sessions.run("hangs", serialOf),
    ].map((call) => watch(w.clock, call))
    await w.clock.advance(3000)
    calls.push(watch(w.clock, w.sessions.run("hangs", serialOf, { signal: leaves.signal })))
    await w.clock.advance(300)
    leaves.abort(new Error("left"))
    await w.clock.advance(3000)
    expect(calls.map(({ outcome }) => outcome)).toEqual([
      "value 1",
      "SessionOpenFailed Failed",
      "SessionOpenFailed TimedOut",
      "error left",
    ])
    expect(figures(openingTimes.succeeded)).toEqual([1, 0])
    expect(figures(openingTimes.failed)).toEqual([1, 0])
    expect(figures(openingTimes.timedOut)).toEqual([1, 1000])
    expect(figures(openingTimes.cancelled)).toEqual([1, 300])
    expect(opens).toBe(openingTimes.succeeded)
    await drained(w)
  })

  test("L16 L5: those told to stop are counted until they have ended, or were given up", async () => {
    const w = world({ concurrency: 2, timeouts: { grace: 1000 } })
    const { gauges, durations } = inspect(w)
    const ends = gate()
    const calls = [
      w.sessions.run("a", async (_, { signal }) => {
        await untilStopped(signal).catch(() => {})
        await ends.promise
      }),
      w.sessions.run("a", () => new Promise(() => {})),
    ].map((call) => watch(w.clock, call))
    await w.clock.advance(10)
    expect(gauges()).toMatchObject({ running: 2, stopping: 0 })
    const closed = watch(w.clock, w.sessions.close("a"))
    await w.clock.advance(100)
    expect(gauges()).toMatchObject({ running: 2, stopping: 2 })
    ends.open()
    await w.clock.advance(10)
    expect(gauges()).toMatchObject({ running: 1, stopping: 1 })
    await w.clock.advance(30_000)
    expect(gauges()).toMatchObject({ running: 0, stopping: 0 })
    expect(closed.outcome).toMatch(/^value/)
    expect(calls.map(({ outcome }) => outcome)).not.toContain("pending")
    expect(durations.stopping.count).toBe(2)
    await drained(w)
  })

  test("L16 L12: what is put back has ended once: its next run is told to stop anew, or not at all", async () => {
    const w = world({ restart: { times: 3, delay: 0 } })
    const { gauges, durations, totals } = inspect(w)
    const ends = gate()
    const things: Array<Thing> = []
    const again = watch(
      w.clock,
      w.sessions.run(
        "a",
        async (thing, { signal }) => {
          things.push(thing)
          if (things.length > 1) return thing.serial
          await untilStopped(signal).catch(() => {})
          await ends.promise
          throw new Error("stopped")
        },
        { idempotent: true },
      ),
    )
    await w.clock.advance(10)
    things[0]?.opening.broken(new Error("lost"))
    await w.clock.advance(400)
    expect(gauges()).toMatchObject({ running: 1, stopping: 1, queued: 0 })
    ends.open()
    await w.clock.advance(60_000)
    expect([again.outcome, things.length]).toEqual(["value 2", 2])
    expect([totals.stops.Broken, gauges().stopping]).toEqual([1, 0])
    expect(figures(durations.stopping)).toEqual([1, 400])
    await drained(w)
  })

  test("L16 L5: background work that failed; a turn that failed has told its caller", async () => {
    const w = world()
    const { totals } = inspect(w)
    const calls = [
      w.sessions.run("a", (_, { background }) => {
        background("index", () => Promise.reject(new Error("odd")))
        background("tidy", () => 1)
      }),
      w.sessions.run("a", () => Promise.reject(new Error("mine"))),
    ].map((call) => watch(w.clock, call))
    await w.clock.advance(100)
    expect(calls.map(({ outcome }) => outcome)).toEqual(["value undefined", "error mine"])
    expect([totals.unobserved, totals.outcomes.failed]).toEqual([1, 2])
    await drained(w)
  })

  test("L7 L16: calls that would have waited for themselves", async () => {
    const w = world()
    const { totals } = inspect(w)
    const call = watch(
      w.clock,
      w.sessions.run("a", async () => {
        const inner = [w.sessions.run("a", serialOf), w.sessions.close("a"), w.sessions.drain()]
        return (await Promise.allSettled(inner)).filter(({ status }) => status === "rejected").length
      }),
    )
    await w.clock.advance(100)
    expect([call.outcome, totals.reentrant]).toEqual(["value 3", 3])
    await drained(w)
  })

  test.each([
    ["finished", {}, 0],
    ["cut", { finishWithin: 2000 }, 2000],
    ["leaked", { finishWithin: 0 }, 500],
  ] as const)("L14 L16: a drain is counted: %s", async (outcome, options, lasts) => {
    const w = world({ timeouts: { grace: 1000, close: 500 } }, (opening) => {
      if (outcome === "leaked") opening.onClose(() => new Promise<void>(() => {}))
    })
    const { durations, totals } = inspect(w)
    const runs = watch(
      w.clock,
      w.sessions.run("a", (_, { signal }) => (outcome === "finished" ? 1 : untilStopped(signal))),
    )
    await w.clock.advance(10)
    const drain = watch(w.clock, w.sessions.drain(options))
    await w.clock.advance(60_000)
    expect([runs.outcome, drain.outcome]).not.toContain("pending")
    expect(totals.drains).toEqual({ finished: 0, cut: 0, leaked: 0, [outcome]: 1 })
    expect(figures(durations.drainTimes)).toEqual([1, lasts])
  })

  test("L16 L8: lifetimes of days are told apart", async () => {
    const day = 86_400_000
    const w = world({ idleTimeout: 2 * day })
    const { lifetimes } = inspect(w).durations
    const use = watch(w.clock, w.sessions.run("a", serialOf))
    await w.clock.advance(10)
    expect(use.outcome).toBe("value 1")
    await w.clock.advance(3 * day)
    expect([lifetimes.count, lifetimes.upTo([1e8, 2.5e8])]).toEqual([1, [0, 1]])
    await drained(w)
  })

  test("L26 L16: tasks that are counted under other, for want of room", async () => {
    const w = world()
    for (let number = 0; number < 53; number++) {
      const call = watch(w.clock, w.sessions.run("a", serialOf, { name: `task ${number}` }))
      await w.clock.advance(0)
      expect(call.outcome).toBe("value 1")
    }
    expect(inspect(w).totals.otherTasks).toBe(3)
    await drained(w)
  })

  test("L16: the oldest task is the one that was started first, of those that still run", async () => {
    const w = world({ concurrency: 5 })
    const { gauges, oldestTaskSince } = inspect(w)
    const gates = [gate(), gate(), gate()]
    const begun: Array<number> = []
    for (const [number, { promise }] of gates.entries()) {
      watch(
        w.clock,
        w.sessions.run(number === 1 ? "b" : "a", () => promise),
      )
      await w.clock.advance(0)
      begun.push(w.sessions.snapshot().at)
      await w.clock.advance(1000)
    }
    const [first, second, third] = begun
    expect(oldestTaskSince()).toBe(first)
    gates[1]?.open()
    await w.clock.advance(0)
    expect(oldestTaskSince()).toBe(first)
    gates[0]?.open()
    await w.clock.advance(0)
    expect([oldestTaskSince(), second === first]).toEqual([third, false])
    gates[2]?.open()
    await w.clock.advance(0)
    expect([oldestTaskSince(), gauges().running]).toEqual([undefined, 0])
    await drained(w)
  })

  test("L19 L16: ends are told at once, in the context of each one's own caller, until nobody listens", async () => {
    const w = world()
    const { totals, watchEnds } = inspect(w)
    const store = new AsyncLocalStorage<string>()
    const told: Array<readonly [string, number, string | undefined]> = []
    const ends = watchEnds((task, ranMs) => {
      told.push([task, ranMs, store.getStore()])
      if (task === "second") throw new Error("a listener's own")
    })
    const endsToo = watchEnds(() => {})
    const held = gate()
    // The second begins in the step that ends the first: as part of the first one's caller's doing.
    const calls = (
      [
        ["first", () => held.promise],
        ["second", serialOf],
        ["third", () => Promise.reject(new Error("odd"))],
      ] as const
    ).map(([name, task]) =>
      watch(
        w.clock,
        store.run(name, () => w.sessions.run("a", task as typeof serialOf, { name })),
      ),
    )
    await w.clock.advance(700)
    held.open()
    await w.clock.advance(0)
    expect(calls.map(({ outcome }) => outcome)).toEqual(["value undefined", "value 1", "error odd"])
    expect(told).toEqual([
      ["first", 700, "first"],
      ["second", 0, "second"],
      ["third", 0, "third"],
    ])
    expect(totals.listenerErrors).toBe(1)
    ends()
    endsToo()
    expect(w.registry.monitor.onEnd).toBeUndefined()
    const last = watch(w.clock, w.sessions.run("a", serialOf))
    await w.clock.advance(0)
    expect([last.outcome, told.length]).toEqual(["value 1", 3])
    await drained(w)
  })
})
