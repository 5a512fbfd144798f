import { describe, expect, test } from "vitest"
import type { EndedTask, TaskStop } from "../../src/inspect.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, world as promiseWorld, type Policy, type Thing } from "../support/ledger.ts"
import { inspect, taskNamed } from "../support/inspected.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch, type Watched } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 10_000, close: 3000 }
/** Ends so many milliseconds after it was told to stop. */
const endsAfter =
  (ms: number, after: (ms: number) => Promise<void>) =>
  (_: Thing, { signal }: Task): Promise<never> =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => void after(ms).then(() => reject(new Error("stopped")))),
    )
const newest = (of: { readonly recent: () => Iterable<EndedTask> }): EndedTask => {
  for (const ended of of.recent()) return ended
  throw new Error("nothing has ended")
}
const how = (stop: TaskStop | undefined) => [stop?.reason, stop?.by, stop?.closeReason]

describe.each(faces)("$face", ({ face, world }) => {
  const make = (policy: Policy = {}) => {
    const w = world({ timeouts, ...policy })
    const run = (
      key: string,
      name: string,
      work: (thing: Thing, task: Task) => unknown,
      options = {},
    ): Watched => watch(w.clock, w.sessions.run(key, work, { name, ...options }))
    return { ...w, run, of: inspect(w) }
  }
  const hangs = (): Promise<never> => new Promise(() => {})

  test("L16 L21: told to stop 4.2 s ago by a drain, and has not ended; how long it took, when it has", async () => {
    const w = make()
    const told = w.run("a", "slow", endsAfter(7000, w.clock.after))
    await w.clock.advance(1000)
    expect(taskNamed(w.of, "slow").stop).toBeUndefined()
    const drained = w.sessions.drain({ finishWithin: 0 })
    await w.clock.advance(4200)
    const task = taskNamed(w.of, "slow")
    expect(task).toMatchObject({ state: "stopping", toldAt: 1000, cut: "Drained" })
    expect(task.stop).toEqual({
      reason: "Drained",
      by: "close",
      closeReason: "Drained",
      from: [],
      at: 1000,
      callerToldAt: undefined,
      abandonedAt: undefined,
      endedAt: undefined,
      acknowledgedMs: undefined,
    })
    await w.clock.advance(20_000)
    await drained
    expect(told.outcome).toBe("TaskStopped Drained")
    expect(newest(w.of)).toMatchObject({
      name: "slow",
      outcome: "interrupted",
      reason: "Drained",
      ranMs: 8000,
      stop: { at: 1000, callerToldAt: 8000, endedAt: 8000, abandonedAt: undefined, acknowledgedMs: 7000 },
    })
  })

  test("L16 L5: who told it, and that its caller was told first", async () => {
    const w = make()
    const leaves = new AbortController()
    const ends = endsAfter(300, w.clock.after)
    const origins: Record<string, () => unknown> = {
      signal: () => leaves.abort(new Error("left")),
      timeout: () => {},
      cancel: () => w.sessions.cancel("cancel"),
      newerTurn: () => w.run("newerTurn", "newer", () => 1, { whenBusy: "replace" }),
      close: () => w.sessions.close("close"),
      restart: () => w.sessions.restart("restart"),
    }
    const options: Record<string, object> = { signal: { signal: leaves.signal }, timeout: { timeout: 100 } }
    for (const name of Object.keys(origins)) w.run(name, name, ends, options[name])
    await w.clock.advance(100)
    for (const stop of Object.values(origins)) void stop()
    await w.clock.advance(0)
    const stops = Object.keys(origins).map((name) => how(taskNamed(w.of, name).stop))
    expect(stops).toEqual([
      // Interruption is the signal of an Effect.
      ["Cancelled", face === "Promise face" ? "signal" : "left", undefined],
      ["Timeout", "timeout", undefined],
      ["Cancelled", "cancel", undefined],
      ["Replaced", "newerTurn", undefined],
      ["Closed", "close", "Requested"],
      ["Restarted", "close", "Restarted"],
    ])
    await w.clock.advance(1000)
    const ended = new Map([...w.of.recent()].map((task) => [task.name, task]))
    for (const name of Object.keys(origins)) {
      const stop = ended.get(name)?.stop
      const ours = name === "close" || name === "restart"
      expect([name, stop?.at, stop?.callerToldAt, stop?.acknowledgedMs]).toEqual([
        name,
        100,
        ours ? 400 : 100,
        300,
      ])
      expect(ended.get(name)?.reason).toBe(stop?.reason)
    }
  })

  test("L16 L13: silence, a resource that is lost, and whoever found that out", async () => {
    const w = make({ concurrency: 3, timeouts: { ...timeouts, silence: 2000 } })
    w.run("a", "silent", endsAfter(10, w.clock.after))
    await w.clock.advance(2001)
    expect(how(taskNamed(w.of, "silent").stop)).toEqual(["Silent", "silence", undefined])
    await w.clock.advance(1000)
    w.run("a", "other", endsAfter(10, w.clock.after))
    await w.clock.advance(0)
    w.run("a", "finder", (_, task) => {
      task.broken(new Error("gone"))
      return hangs()
    })
    await w.clock.advance(0)
    expect(how(taskNamed(w.of, "other").stop)).toEqual(["Broken", "close", "Broken"])
    expect(taskNamed(w.of, "finder").stop).toBeUndefined()
    await w.clock.advance(15_000)
    // It was not told to stop, but it was waited for as long as if it had been.
    expect(newest(w.of)).toMatchObject({
      name: "finder",
      stop: {
        reason: "Broken",
        at: undefined,
        abandonedAt: 13_001,
        endedAt: undefined,
        acknowledgedMs: undefined,
      },
    })
  })

  test("L21: work that does not end is told of as long as it has not, and its late end is told", async () => {
    const w = make({ timeouts: { ...timeouts, grace: 1000 } })
    const late = gate()
    const told = w.run("a", "hangs", () => late.promise)
    await w.clock.advance(10)
    const closed = watch(w.clock, w.sessions.close("a"))
    await w.clock.advance(20_000)
    expect([told.outcome, closed.outcome.slice(0, 5)]).toEqual(["TaskStopped Closed", "value"])
    const [unended, ...more] = w.of.unended()
    expect(more).toEqual([])
    expect(unended).toMatchObject({
      name: "hangs",
      key: "a",
      stop: { reason: "Closed", at: 10, callerToldAt: 1010, abandonedAt: 1010, endedAt: undefined },
    })
    expect(newest(w.of)).toEqual(unended)
    late.open()
    await w.clock.advance(10)
    expect([...w.of.unended()]).toEqual([])
    expect(newest(w.of).stop).toMatchObject({ abandonedAt: 1010, endedAt: 20_010, acknowledgedMs: 20_000 })
  })

  test("L26: of what never ends the last hundred are remembered", async () => {
    const w = make({
      timeouts: { silence: 100, grace: 10, close: 10 },
      maxLeaked: Infinity,
      restart: { times: 10_000, delay: 0 },
    })
    for (let number = 0; number < 130; number++) w.run(`k${number}`, `task ${number}`, hangs)
    await w.clock.advance(1000)
    const names = [...w.of.unended()].map(({ name }) => name)
    expect(names).toHaveLength(100)
    expect(new Set(names).size).toBe(100)
    expect(names.at(-1)).toBe("task 129")
  })

  test("L22: down the calls, through three registries: each tells who told it, up to where it began", async () => {
    const [a, b, c] = [make(), make(), make()]
    const outer = a.run("ka", "outer", () =>
      b.sessions.run("kb", () => c.sessions.run("kc", endsAfter(50, c.clock.after), { name: "inner" }), {
        name: "middle",
      }),
    )
    for (const w of [a, b, c]) await w.clock.advance(100)
    void a.sessions.cancel("ka")
    for (const w of [a, b, c]) await w.clock.advance(0)
    await settle()
    const { stop } = taskNamed(c.of, "inner")
    expect(how(stop)).toEqual(["CallerStopped", "outerTask", undefined])
    expect(stop?.from).toEqual([
      {
        task: { registry: b.of.name, key: "kb", id: "t1", name: "middle" },
        reason: "CallerStopped",
        by: "outerTask",
        closeReason: undefined,
      },
      {
        task: { registry: a.of.name, key: "ka", id: "t1", name: "outer" },
        reason: "Cancelled",
        by: "cancel",
        closeReason: undefined,
      },
    ])
    for (const w of [c, b, a, c, b, a]) await w.clock.advance(100)
    expect(outer.outcome).toBe("TaskStopped Cancelled")
    expect(newest(c.of)).toMatchObject({ stop: { from: stop?.from, acknowledgedMs: 50 } })
    // Its caller's work had ended before, for its outcome was told at once.
    expect(newest(c.of).parent).toEqual(stop?.from[0]?.task)
  })

  test("L16: why a task that never started did not", async () => {
    const w = make({ maxQueued: 2 })
    const held = gate()
    const leaves = new AbortController()
    w.run("a", "first", () => held.promise)
    await w.clock.advance(0)
    w.run("a", "left", () => 1, { signal: leaves.signal })
    w.run("a", "closed", () => 1)
    w.run("a", "refused", () => 1)
    w.run("a", "busy", () => 1, { whenBusy: "reject" })
    await w.clock.advance(100)
    leaves.abort(new Error("left"))
    await w.clock.advance(100)
    void w.sessions.close("a")
    held.open()
    await w.clock.advance(100)
    const ends = Object.fromEntries(
      [...w.of.recent()].map(({ name, outcome, reason, startedAt, stop, waitedMs }) => [
        name,
        { outcome, reason, startedAt, by: stop?.by, waitedMs },
      ]),
    )
    const never = { startedAt: undefined, by: undefined }
    expect(ends).toMatchObject({
      refused: { ...never, outcome: "rejected", reason: "MaxQueued", waitedMs: 0 },
      busy: { ...never, outcome: "rejected", reason: "Busy", waitedMs: 0 },
      left: { outcome: "cancelled", reason: "Cancelled", startedAt: undefined, waitedMs: 100 },
      closed: { ...never, outcome: "rejected", reason: "Closed", waitedMs: 200 },
    })
  })

  test("L16: a turn that waited, and was replaced before it began", async () => {
    const w = make()
    const held = gate()
    w.run("a", "runs", () => held.promise, { whenBusy: "overlap" })
    w.run("a", "first", () => held.promise)
    w.run("a", "waits", () => 1)
    await w.clock.advance(50)
    w.run("a", "newer", () => 2, { whenBusy: "replace" })
    await w.clock.advance(50)
    expect(newest(w.of)).toMatchObject({
      name: "waits",
      outcome: "cancelled",
      reason: "Replaced",
      startedAt: undefined,
    })
    expect(newest(w.of).stop).toMatchObject({ by: "newerTurn", at: 50, callerToldAt: 50, endedAt: 50 })
    held.open()
    await w.clock.advance(50)
  })

  test("L12: one that begins once more has not been told to stop", async () => {
    const w = make()
    let runs = 0
    let lose: ((cause: unknown) => void) | undefined
    w.run(
      "a",
      "again",
      ({ opening }, { signal }) => {
        if (++runs > 1) return w.clock.after(5000)
        lose = opening.broken
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(new Error("stopped"))),
        )
      },
      { idempotent: true },
    )
    await w.clock.advance(10)
    lose?.("gone")
    await w.clock.advance(1000)
    expect(runs).toBe(2)
    const task = taskNamed(w.of, "again")
    expect([task.state, task.stop, task.toldAt]).toEqual(["running", undefined, undefined])
    await w.clock.advance(5000)
    expect(newest(w.of)).toMatchObject({
      outcome: "succeeded",
      reason: undefined,
      stop: undefined,
      generation: 2,
    })
  })
})

test("L16: a stream whose consumer takes nothing, and one whose consumer has gone", async () => {
  const { clock, sessions } = promiseWorld({ timeouts: { ...timeouts, stall: 1000 } })
  const of = inspect({ sessions })
  const numbers = async function* () {
    for (let number = 0; ; number++) {
      yield number
    }
  }
  const stalls = sessions.stream("a", numbers, { name: "stalls", whenBusy: "overlap" })
  const leaves = sessions.stream("a", numbers, { name: "leaves", whenBusy: "overlap" })
  for (const stream of [stalls, leaves]) void stream[Symbol.asyncIterator]().next()
  await clock.advance(10)
  void leaves[Symbol.asyncDispose]()
  await clock.advance(2000)
  expect([...of.recent()].map(({ name, stop }) => [name, how(stop)])).toEqual([
    ["stalls", ["Stalled", "stall", undefined]],
    ["leaves", ["Cancelled", "left", undefined]],
  ])
})
