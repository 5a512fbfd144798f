import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { describe, expect, test } from "vitest"
import { CurrentSession } from "../../src/face/effect/CurrentSession.ts"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import type { Inspection, LiveTask } from "../../src/inspect.ts"
import { start, type Models, type Running } from "../effect/support.ts"
import { effectWorld } from "../support/effectWorld.ts"
import { gate, world } from "../support/ledger.ts"
import { inspect, taskNamed } from "../support/inspected.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

class Work extends Context.Service<Work, object>()("test/Work") {}
class Jobs extends Sessions.Service<Jobs>()("test/Jobs", {
  layer: () => Layer.succeed(Work, {}) as Layer.Layer<Work, never, Models>,
  concurrency: 50,
}) {}
/** Of the request that a task is run for: its context is like no other. */
class Request extends Context.Service<Request, number>()("test/Request") {}

/** The pulse of a registry beats twice a second: what is told is at most so old. */
const pulse = 500

const inApp = async (
  use: (
    app: Running<Jobs>,
    of: Inspection,
    run: (name: string, work: Work_) => Promise<unknown>,
  ) => Promise<void>,
): Promise<void> => {
  const app = await start(Jobs)
  try {
    await use(app, inspect({ sessions: app.registry }), (name, work) => {
      const run = app.run(Jobs.run("a", work, { name }))
      run.catch(() => {})
      return run
    })
  } finally {
    const stopped = app.stop()
    await app.clock.advance(60_000)
    await stopped
  }
}
type Work_ = Effect.Effect<unknown>
/** Goes on once in so many milliseconds, for ever. */
const beats = (every: number): Effect.Effect<never> =>
  Effect.gen(function* () {
    for (;;) yield* Effect.sleep(every)
  })
const told = ({ isSuspended, knownBy, resumes, suspendedMs }: LiveTask) => ({
  isSuspended,
  knownBy,
  resumes,
  suspendedMs,
})

describe("a task whose work is an Effect", () => {
  test("L16: one that goes on is told from one that hangs, and since when it does", () =>
    inApp(async ({ clock }, of, run) => {
      void run("goes on", beats(200))
      void run("hangs", Effect.never)
      await clock.advance(900)
      const goesOn = taskNamed(of, "goes on")
      const hangs = taskNamed(of, "hangs")
      expect([told(goesOn), told(hangs)]).toEqual([
        { isSuspended: false, knownBy: "fibers", resumes: 5, suspendedMs: 0 },
        { isSuspended: false, knownBy: "fibers", resumes: 1, suspendedMs: 0 },
      ])
      await clock.advance(9100)
      expect(told(goesOn)).toEqual({ isSuspended: false, knownBy: "fibers", resumes: 51, suspendedMs: 0 })
      expect(told(hangs)).toEqual({ isSuspended: true, knownBy: "fibers", resumes: 1, suspendedMs: 10_000 })
      expect(hangs.resumedAt).toBe(hangs.startedAt)
      expect(goesOn.resumedAt).toBeGreaterThanOrEqual(10_000 - pulse)
      expect([hangs.waitedMs, hangs.ranMs]).toEqual([0, 10_000])
    }))

  test("L16: a pause is counted when it is over, and told of the ended task too", () =>
    inApp(async ({ clock }, of, run) => {
      const pauses = run("pauses", Effect.sleep(3000).pipe(Effect.andThen(Effect.sleep(400))))
      await clock.advance(3300)
      const task = taskNamed(of, "pauses")
      expect(task.isSuspended).toBe(false)
      expect(task.suspendedMs).toBeGreaterThanOrEqual(3000 - pulse)
      expect(task.suspendedMs).toBeLessThanOrEqual(3000)
      await clock.advance(1100)
      await pauses
      const [ended] = of.recent()
      expect(ended).toMatchObject({ name: "pauses", ranMs: 3400, resumes: 3 })
      expect(ended?.suspendedMs).toBeGreaterThanOrEqual(3000 - pulse)
      expect(ended?.suspendedMs).toBeLessThanOrEqual(3000)
    }))

  test("L16: fibers that it has forked count for it", () =>
    inApp(async ({ clock }, of, run) => {
      const child = beats(300)
      void run("joins", Effect.flatMap(Effect.forkChild(child), Fiber.join))
      void run("both", Effect.all([Effect.never, child], { concurrency: 2 }))
      await clock.advance(20_000)
      for (const name of ["joins", "both"]) {
        const task = taskNamed(of, name)
        expect([name, task.isSuspended, (task.resumes ?? 0) > 60]).toEqual([name, false, true])
        expect(task.resumedAt).toBeGreaterThanOrEqual(20_000 - 300 - pulse)
      }
    }))

  test("L23: one that keeps the event loop busy is not suspended", () =>
    inApp(async ({ clock }, of, run) => {
      const held = gate()
      const busy = Effect.sync(() => {
        // The loop stands still, and nobody's code but this runs.
        clock.now += 5000
      })
      void run(
        "busy",
        Effect.sleep(100).pipe(Effect.andThen(busy), Effect.andThen(Effect.promise(() => held.promise))),
      )
      void run("waits", Effect.never)
      await clock.advance(5200)
      expect(["busy", "waits"].map((name) => taskNamed(of, name).isSuspended)).toEqual([false, false])
      await clock.advance(1500)
      expect(["busy", "waits"].map((name) => taskNamed(of, name).isSuspended)).toEqual([true, true])
      held.open()
      await clock.advance(0)
    }))

  test("L16: one that does nothing but yield goes on", () =>
    inApp(async ({ clock }, of, run) => {
      const ends = { now: false }
      const yields = run(
        "yields",
        Effect.whileLoop({ while: () => !ends.now, body: () => Effect.yieldNow, step: () => {} }),
      )
      // `advance` would wait for it to rest.
      clock.now = 30_000
      for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve))
      const task = taskNamed(of, "yields")
      expect(task.isSuspended).toBe(false)
      const before = task.resumes ?? 0
      for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve))
      expect((task.resumes ?? 0) - before).toBeGreaterThan(5)
      ends.now = true
      await yields
    }))

  test("L16: the pause in which it is given up counts", () =>
    inApp(async (app, of, run) => {
      void run("hangs", Effect.uninterruptible(Effect.never))
      await app.clock.advance(5000)
      app.run(Jobs.close("a")).catch(() => {})
      await app.clock.advance(10_000)
      const [ended] = of.unended()
      expect(ended).toMatchObject({ name: "hangs", ranMs: 10_000, suspendedMs: 10_000, resumes: 1 })
    }))

  test("L21: what an ended task left behind is not looked at any more", () =>
    inApp(async (app, of) => {
      const left = await app.run(
        Jobs.run("a", Effect.forkDetach(beats(2000)), { name: "leaves", silence: "Infinity" }),
      )
      // The pulse of the task itself is over, and it goes on once.
      await app.clock.advance(2000)
      expect(app.clock.nextAt - app.clock.now).toBe(2000)
      expect([...of.recent()][0]?.resumes).toBe(1)
      await Effect.runPromise(Fiber.interrupt(left))
    }))

  test("L16: a clock that fails costs no task its life", async () => {
    const clock = new (class extends VirtualClock {
      broken = false
      override sleep(duration: Duration.Duration): Effect.Effect<void> {
        if (this.broken) throw new Error("no clock")
        return super.sleep(duration)
      }
    })()
    const w = effectWorld({ idleTimeout: "Infinity" }, undefined, clock)
    const first = watch(
      clock,
      w.sessions.run("a", () => 1),
    )
    await clock.advance(60_000)
    expect(first.outcome).toBe("value 1")
    clock.broken = true
    const run = watch(
      clock,
      w.sessions.run("a", () => 2, { silence: "Infinity" }),
    )
    await settle()
    expect(run.outcome).toBe("value 2")
    // That it fails is told.
    expect(w.registry.monitor.defects).toBeGreaterThan(0)
  })

  test("L16: whether its silence is watched or not", () =>
    inApp(async (app, of) => {
      const forever = { silence: "Infinity" as const }
      app.run(Jobs.run("a", beats(300), { name: "goes on", ...forever })).catch(() => {})
      app.run(Jobs.run("a", Effect.never, { name: "hangs", ...forever })).catch(() => {})
      await app.clock.advance(20_000)
      const [goesOn, hangs] = ["goes on", "hangs"].map((name) => taskNamed(of, name))
      expect([goesOn?.isSuspended, hangs?.isSuspended]).toEqual([false, true])
      expect(goesOn?.resumedAt).toBeGreaterThanOrEqual(20_000 - 300 - pulse)
    }))

  test("L16: streams too", () =>
    inApp(async (app, of) => {
      const slow = Stream.fromEffect(Effect.never)
      const reads = app.run(
        Stream.runDrain(Jobs.stream("a", Stream.concat(Stream.make(1), slow), { name: "stream" })),
      )
      reads.catch(() => {})
      await app.clock.advance(20_000)
      expect(taskNamed(of, "stream")).toMatchObject({
        isSuspended: true,
        knownBy: "fibers",
        waitsForConsumer: false,
      })
      void app.run(Jobs.close("a"))
      await app.clock.advance(20_000)
    }))

  test("L16: the caller's own scheduler goes on deciding, and its tasks are seen all the same", () =>
    inApp(async (app, of) => {
      const usual = new Scheduler.MixedScheduler()
      let asked = 0
      const own: Scheduler.Scheduler = {
        executionMode: "async",
        shouldYield: (fiber) => {
          asked++
          return usual.shouldYield(fiber)
        },
        makeDispatcher: () => usual.makeDispatcher(),
      }
      const work = Effect.gen(function* () {
        const before = asked
        for (let step = 0; step < 10; step++) yield* Effect.sync(() => step)
        return asked - before
      })
      const of10 = await app.run(Jobs.run("a", work).pipe(Effect.provideService(Scheduler.Scheduler, own)))
      expect(of10).toBeGreaterThanOrEqual(10)
      const [ended] = of.recent()
      expect(ended?.resumes).toBe(1)
    }))

  test("L16: where no scheduler is asked nothing is known, and nothing is guessed", () =>
    inApp(async (app, of) => {
      app
        .run(
          Jobs.run("a", Effect.never, { name: "unseen" }).pipe(
            Effect.provideService(Scheduler.PreventSchedulerYield, true),
          ),
        )
        .catch(() => {})
      await app.clock.advance(10_000)
      const task = taskNamed(of, "unseen")
      expect({ ...told(task), resumedAt: task.resumedAt }).toEqual({
        isSuspended: undefined,
        knownBy: "signs",
        resumes: undefined,
        suspendedMs: undefined,
        resumedAt: undefined,
      })
    }))

  test("L16: of callers that are all different so many are seen in a second, and none is passed for another", () =>
    inApp(async (app, of) => {
      const runs = (count: number, work: Work_, name: string) =>
        app.run(
          Effect.forEach(
            Array.from({ length: count }, (_, index) => index),
            (index) => Effect.provideService(Jobs.run("a", work, { name }), Request, index),
            { discard: true },
          ),
        )
      const hang = (name: string) => {
        app.run(Effect.provideService(Jobs.run("a", Effect.never, { name }), Request, -1)).catch(() => {})
      }
      // A second in which nobody else has been seen.
      await app.clock.advance(5000)
      await runs(1900, Effect.void, "quick")
      hang("seen")
      await runs(200, Effect.void, "quick")
      hang("too many")
      await app.clock.advance(2000)
      hang("seen again")
      await app.clock.advance(2000)
      expect(["seen", "too many", "seen again"].map((name) => taskNamed(of, name).knownBy)).toEqual([
        "fibers",
        "signs",
        "fibers",
      ])
    }))

  test("L21: what an earlier run of a task left behind does not count for the next", () =>
    inApp(async (app, of) => {
      const left: Array<Fiber.Fiber<unknown>> = []
      let runs = 0
      let lose: ((cause: unknown) => void) | undefined
      const work = Effect.gen(function* () {
        const session = yield* CurrentSession
        if (++runs > 1) return yield* Effect.never
        left.push(yield* Effect.forkDetach(beats(100)))
        lose = session.brokenUnsafe
        return yield* Effect.never
      })
      app.run(Jobs.run("a", work, { name: "again", idempotent: true })).catch(() => {})
      // Keeps the next generation from being opened at once.
      app.run(Jobs.run("a", Effect.uninterruptible(Effect.sleep(400)))).catch(() => {})
      await app.clock.advance(50)
      const first = taskNamed(of, "again")
      expect(first.knownBy).toBe("fibers")
      lose?.("gone")
      // Its next run has not begun, and nothing is known of it.
      await settle()
      const between = [first.state, first.knownBy, first.resumedAt, first.isSuspended]
      expect(between).toEqual(["queued", "signs", undefined, false])
      await app.clock.advance(5000)
      expect(runs).toBe(2)
      const task = taskNamed(of, "again")
      expect(task).toMatchObject({
        state: "running",
        isSuspended: true,
        resumes: 1,
        stop: undefined,
        toldAt: undefined,
      })
      expect(task.resumedAt).toBe(task.startedAt)
      for (const fiber of left) await Effect.runPromise(Fiber.interrupt(fiber))
    }))
})

describe("a task of promises", () => {
  test("L16: nothing is known but what it says, and what it waits for", async () => {
    const w = world()
    const other = world()
    const held = gate()
    const run = watch(
      w.clock,
      w.sessions.run("a", () => other.sessions.run("b", () => held.promise), { name: "outer" }),
    )
    await w.clock.advance(10_000)
    const task = taskNamed(inspect(w), "outer")
    expect(task).toMatchObject({
      knownBy: "signs",
      isSuspended: undefined,
      suspendedMs: undefined,
      resumedAt: undefined,
      resumes: undefined,
      waitsForCall: true,
      waitsForConsumer: false,
      ranMs: 10_000,
    })
    held.open()
    await w.clock.advance(0)
    expect(run.outcome).toBe("value undefined")
  })

  test("L16: a stream that nobody asks waits for its consumer, not for a call", async () => {
    const w = world({ timeouts: { stall: "Infinity" } })
    const stream = w.sessions.stream(
      "a",
      async function* () {
        yield 1
        yield 2
      },
      { name: "stream" },
    )
    const entries = stream[Symbol.asyncIterator]()
    await entries.next()
    await settle()
    expect(taskNamed(inspect(w), "stream")).toMatchObject({ waitsForConsumer: true, waitsForCall: false })
    await entries.return?.()
  })

  test("L16: how long it waited is told while it does, and stays", async () => {
    const w = world()
    const held = gate()
    void watch(
      w.clock,
      w.sessions.run("a", () => held.promise, { name: "first" }),
    )
    void watch(
      w.clock,
      w.sessions.run("a", () => w.clock.after(1000), { name: "second" }),
    )
    await w.clock.advance(3000)
    const second = taskNamed(inspect(w), "second")
    expect([second.waitedMs, second.ranMs, second.suspendedMs, second.isSuspended]).toEqual([
      3000,
      0,
      0,
      false,
    ])
    held.open()
    await w.clock.advance(400)
    expect([second.waitedMs, second.ranMs]).toEqual([3000, 400])
    await w.clock.advance(1000)
    expect([...inspect(w).recent()][0]).toMatchObject({ name: "second", waitedMs: 3000, ranMs: 1000 })
  })
})
