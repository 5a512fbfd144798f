/**
 * Where Effect's own keyed resources (RcMap, LayerMap, ManagedRuntime of effect 4.1.0) fail those who keep sessions in
 * them. Each group runs the peer first, then both faces on the same story. A peer's test that fails means that the peer
 * was changed: `docs/guides/peers.md` has the table to correct.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as LayerMap from "effect/LayerMap"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { describe, expect, expectTypeOf, test } from "vitest"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { start } from "../effect/support.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"
import { Alive } from "./Alive.ts"
import { BuildFailed, rcMapWorld } from "./rcMap.ts"

const serialOf = (thing: Thing): number => thing.serial
const unreachable = new Error("no database")
const failsFirst = (serial: number): void => {
  if (serial === 1) throw unreachable
}
const minute = 60_000

describe("a lookup fails once, its cause is mended", () => {
  test("peer: RcMap serves the old failure for its idle time, and for ever to who asks more often than that", async () => {
    const { clock, useExit, alive } = await rcMapWorld({ idleTimeToLive: minute, build: failsFirst })
    for (let ask = 0; ask < 120; ask++) {
      expect(await useExit("a")).toEqual(Exit.fail(new BuildFailed({ cause: unreachable })))
      await clock.advance(minute / 2)
    }
    expect(alive.built).toBe(0)
    await clock.advance(minute)
    expect(await useExit("a")).toEqual(Exit.succeed(2))
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L10: the failure is told once; the next use is served by a new open, when the back-off is over", async () => {
      const w = world({ idleTimeout: minute }, ({ serial }) => failsFirst(serial))
      const { clock, sessions, story } = w
      const first = watch(clock, sessions.run("a", serialOf))
      await settle()
      expect([first.outcome, first.at, fieldOf(first, "cause")]).toEqual([
        "SessionOpenFailed Failed",
        0,
        unreachable,
      ])
      const again = watch(clock, sessions.run("a", serialOf))
      await clock.advance(74)
      expect(again.outcome).toBe("pending")
      await clock.advance(1)
      expect([again.outcome, again.at]).toEqual(["value 2", 75])
      expect(story().filter((line) => line === "Opening")).toHaveLength(2)
      await expectNothingLeft(w)
    })
  })
})

describe("a layer fails once", () => {
  class Database extends Context.Service<Database, { readonly build: number }>()("test/peers/Database") {}
  /** Fails when it is built for the first time. */
  const flaky = () => {
    const builds = { count: 0 }
    const layer = Layer.effect(
      Database,
      Effect.suspend(() => {
        builds.count++
        return builds.count === 1 ? Effect.fail(unreachable) : Effect.succeed({ build: builds.count })
      }),
    )
    return { builds, layer }
  }

  test("peer: a ManagedRuntime fails for ever, with one build", async () => {
    const clock = new VirtualClock()
    const { builds, layer } = flaky()
    const runtime = ManagedRuntime.make(layer)
    const use = Effect.provideService(Database, Clock.Clock, clock)
    for (let hour = 0; hour < 24; hour++) {
      expect(await runtime.runPromiseExit(use)).toEqual(Exit.fail(unreachable))
      await clock.advance(60 * minute)
    }
    expect(builds.count).toBe(1)
    await runtime.dispose()
  })

  test("L10: a session's layer is built again by the next use after the back-off", async () => {
    const { builds, layer } = flaky()
    class Databases extends Sessions.Service<Databases>()("test/peers/Databases", { layer: () => layer }) {}
    const app = await start(Databases)
    const use = Databases.run("a", Database)
    const failed = await app.run(Effect.flip(use))
    expect([failed._tag, failed.cause]).toEqual(["SessionOpenFailed", unreachable])
    const again = watch(app.clock, app.run(use))
    await app.clock.advance(100)
    expect(again.value).toEqual({ build: 2 })
    expect(again.at).toBeLessThanOrEqual(100)
    expect(builds.count).toBe(2)
    await app.stop()
  })
})

describe("two places, both taken by idle ones, a third key", () => {
  test("peer: RcMap refuses it for as long as they are idle", async () => {
    const { use, useExit } = await rcMapWorld({ idleTimeToLive: minute, capacity: 2 })
    await use("a")
    await use("b")
    const exit = await useExit("c")
    expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
      _tag: "ExceededCapacityError",
    })
  })

  test("peer: LayerMap has no capacity at all", () => {
    type MakeOptions = NonNullable<Parameters<typeof LayerMap.make>[1]>
    expectTypeOf<"capacity" extends keyof MakeOptions ? true : false>().toEqualTypeOf<false>()
    expectTypeOf<"idleTimeToLive" extends keyof MakeOptions ? true : false>().toEqualTypeOf<true>()
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L9: the longest idle makes room, closed before the newcomer opens", async () => {
      const alive = new Alive()
      const clock = new VirtualClock()
      const slow = alive.counting(() => clock.after(200))
      const w = world({ maxSessions: 2, idleTimeout: minute }, slow, clock)
      const { ledger, sessions } = w
      for (const key of ["a", "b", "a"]) {
        await sessions.run(key, serialOf)
        await clock.advance(10)
      }
      const third = watch(clock, sessions.run("c", serialOf))
      await clock.advance(200)
      expect([third.outcome, third.at]).toEqual(["value 3", 230])
      expect(ledger.lines).toEqual(["open a#1", "open b#2", "release b#2", "open c#3"])
      expect(alive.most).toBe(2)
      expect(await sessions.run("a", serialOf)).toBe(1)
      await expectNothingLeft(w)
    })
  })
})

describe("an idle one is being closed, and is needed again", () => {
  const slow = 200

  test("peer: RcMap opens a second one beside it", async () => {
    const { alive, clock, use } = await rcMapWorld({
      idleTimeToLive: minute,
      finalizer: () => Effect.sleep(slow),
    })
    await use("a")
    await clock.advance(minute)
    expect(await use("a")).toBe(2)
    expect(alive.mostOfOneKey).toBe(2)
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L3, L8: it waits for the end of the old one: never two", async () => {
      const alive = new Alive()
      const clock = new VirtualClock()
      const w = world(
        { idleTimeout: minute },
        alive.counting(() => clock.after(slow)),
        clock,
      )
      const { sessions } = w
      await sessions.run("a", serialOf)
      await clock.advance(minute)
      expect(sessions.explain("a").state).toBe("Closing")
      const again = watch(clock, sessions.run("a", serialOf))
      await clock.advance(slow - 1)
      expect([again.outcome, alive.now]).toEqual(["pending", 1])
      await clock.advance(1)
      expect([again.outcome, again.at]).toEqual(["value 2", minute + slow])
      expect(alive.mostOfOneKey).toBe(1)
      await expectNothingLeft(w)
    })
  })
})

describe("it is invalidated while in use, and needed again", () => {
  test("peer: RcMap opens a second one beside the one in use", async () => {
    const { alive, borrow, invalidate, use } = await rcMapWorld({ idleTimeToLive: minute })
    const held = await borrow("a")
    await invalidate("a")
    expect(await use("a")).toBe(2)
    expect(alive.mostOfOneKey).toBe(2)
    await held.giveBack()
  })

  describe.each(faces)("$face", ({ world }) => {
    test.each(["restart", "close"] as const)(
      "L3, L24: %s lets the user finish if asked to, and the next use waits for the end: never two",
      async (verb) => {
        const alive = new Alive()
        const clock = new VirtualClock()
        const w = world(
          {},
          alive.counting(() => clock.after(20)),
          clock,
        )
        const { sessions } = w
        const held = gate<string>()
        const user = watch(
          clock,
          sessions.run("a", () => held.promise),
        )
        await settle()
        const ended = watch(clock, sessions[verb]("a", { finishWithin: minute }))
        const again = watch(clock, sessions.run("a", serialOf))
        await clock.advance(1000)
        expect([user.outcome, ended.outcome, again.outcome]).toEqual(["pending", "pending", "pending"])
        expect(alive.built).toBe(1)
        held.open("done")
        await clock.advance(20)
        expect([user.outcome, again.outcome, again.at]).toEqual(["value done", "value 2", 1020])
        expect(alive.mostOfOneKey).toBe(1)
        await expectNothingLeft(w)
      },
    )
  })
})

describe("ten are closed, the finalizer of each takes 100 ms", () => {
  const keys = Array.from({ length: 10 }, (_, n) => `key ${n}`)
  const slow = 100

  test("peer: RcMap closes them one after another: a second", async () => {
    const { clock, close, use, alive } = await rcMapWorld({
      idleTimeToLive: minute,
      finalizer: () => Effect.sleep(slow),
    })
    for (const key of keys) await use(key)
    const closed = watch(clock, close())
    await clock.advance(minute)
    expect([closed.at, alive.now]).toEqual([keys.length * slow, 0])
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L14: all at once: a drain takes exactly as long as one of them", async () => {
      const alive = new Alive()
      const clock = new VirtualClock()
      const { sessions } = world(
        {},
        alive.counting(() => clock.after(slow)),
        clock,
      )
      for (const key of keys) await sessions.run(key, serialOf)
      const drained = watch(clock, sessions.drain())
      await clock.advance(minute)
      expect([drained.at, alive.now]).toEqual([slow, 0])
      expect(drained.value).toEqual({ finished: 0, cut: [], closed: 10, leaked: [], durationMs: slow })
    })
  })
})

describe("five are closed, and the first one's finalizer never ends", () => {
  const keys = ["hangs", "b", "c", "d", "e"]

  test("peer: RcMap's close hangs, and none of the others is closed", async () => {
    const { clock, close, use, alive } = await rcMapWorld({
      idleTimeToLive: Infinity,
      finalizer: (key) => (key === "hangs" ? Effect.never : Effect.void),
    })
    for (const key of keys) await use(key)
    const closed = watch(clock, close())
    await clock.advance(24 * 60 * minute)
    expect([closed.outcome, alive.now]).toEqual(["pending", keys.length])
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L4, L14: the others close at once; the drain ends at its bound, and names the one that leaked", async () => {
      const alive = new Alive()
      const clock = new VirtualClock()
      const hangs = alive.counting(({ key }) => (key === "hangs" ? gate().promise : undefined))
      const { sessions } = world({ timeouts: { close: 15_000 } }, hangs, clock)
      for (const key of keys) await sessions.run(key, serialOf)
      const drained = watch(clock, sessions.drain())
      await settle()
      expect(alive.now).toBe(1)
      await clock.advance(24 * 60 * minute)
      expect(drained.at).toBe(15_000)
      expect(drained.value).toMatchObject({ closed: 5, leaked: [{ key: "hangs" }], durationMs: 15_000 })
      expect(sessions.snapshot().counts.leaked).toBe(1)
    })
  })
})

describe("everything is closed while one is in use", () => {
  test("peer: RcMap releases it under its user", async () => {
    const { alive, borrow, close } = await rcMapWorld({ idleTimeToLive: minute })
    const held = await borrow("a")
    await close()
    expect(alive.now).toBe(0)
    await held.giveBack()
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L14, L4: its user finishes first; nothing is released before", async () => {
      const alive = new Alive()
      const clock = new VirtualClock()
      const { sessions } = world({}, alive.counting(), clock)
      const using = watch(
        clock,
        sessions.run("a", async () => {
          const seen = [alive.now]
          await clock.after(3000)
          return [...seen, alive.now].join()
        }),
      )
      await settle()
      const drained = watch(clock, sessions.drain())
      await clock.advance(2999)
      expect([drained.outcome, alive.now]).toEqual(["pending", 1])
      await clock.advance(1)
      expect([using.outcome, drained.at, alive.now]).toEqual(["value 1,1", 3000, 0])
    })
  })
})

describe("asked for after everything was closed", () => {
  test("peer: RcMap interrupts the fiber that asks: no error, no type", async () => {
    const { close, useExit } = await rcMapWorld({ idleTimeToLive: minute })
    await close()
    const exit = await useExit("a")
    expect(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)).toBe(true)
  })

  test("peer: a ManagedRuntime dies of a text", async () => {
    const runtime = ManagedRuntime.make(Layer.empty)
    await runtime.runPromise(Effect.void)
    await runtime.dispose()
    const exit = await runtime.runPromiseExit(Effect.void)
    expect(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && Cause.squash(exit.cause)).toBe(
      "ManagedRuntime disposed",
    )
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L14, L17: a refusal with a tag and a reason, and nothing opens", async () => {
      const { clock, ledger, sessions } = world()
      await sessions.run("a", serialOf)
      await sessions.drain()
      const late = [sessions.run("a", serialOf), sessions.run("b", serialOf), sessions.lease("a")]
      const told = late.map((call) => watch(clock, call))
      await settle()
      for (const { outcome, at } of told) expect([outcome, at]).toEqual(["SessionRefused Draining", 0])
      expect(ledger.opened).toBe(1)
    })
  })
})

describe("the whole is disposed of with work in flight", () => {
  const work = 3000

  test("peer: ManagedRuntime.dispose interrupts it at once; there is no other way", async () => {
    const clock = new VirtualClock()
    const runtime = ManagedRuntime.make(Layer.empty)
    const slow = Effect.as(Effect.sleep(work), "done").pipe(Effect.provideService(Clock.Clock, clock))
    const exit = watch(clock, runtime.runPromiseExit(slow))
    await settle()
    const disposed = watch(clock, runtime.dispose())
    await settle()
    expect([exit.at, disposed.at]).toEqual([0, 0])
    expect(Exit.isFailure(exit.value as Exit.Exit<string>)).toBe(true)
    expectTypeOf<Parameters<typeof runtime.dispose>>().toEqualTypeOf<[]>()
  })

  describe.each(faces)("$face", ({ world }) => {
    test("L14: a drain finishes it, and says so", async () => {
      const { clock, sessions } = world()
      const running = watch(
        clock,
        sessions.run("a", async () => {
          await clock.after(work)
          return "done"
        }),
      )
      await settle()
      const drained = watch(clock, sessions.drain())
      await clock.advance(work)
      expect([running.outcome, running.at]).toEqual(["value done", work])
      expect(drained.value).toEqual({ finished: 1, cut: [], closed: 1, leaked: [], durationMs: work })
    })
  })

  class Things extends Sessions.Service<Things>()("test/peers/Things", { layer: () => Layer.empty }) {}
  const inRuntime = () => {
    const clock = new VirtualClock()
    const time = Layer.succeed(Clock.Clock, clock)
    const runtime = ManagedRuntime.make(Things.layer.pipe(Layer.provideMerge(time)))
    return { clock, runtime }
  }

  test("L14: a service in a ManagedRuntime is drained before the runtime is disposed of, and finishes its work", async () => {
    const { clock, runtime } = inRuntime()
    const running = watch(clock, runtime.runPromise(Things.run("a", Effect.as(Effect.sleep(work), "done"))))
    await settle()
    const drained = watch(clock, runtime.runPromise(Things.drain()))
    await clock.advance(work)
    expect([running.outcome, drained.at]).toEqual(["value done", work])
    await runtime.dispose()
  })
})
