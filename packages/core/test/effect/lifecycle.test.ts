import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { expect, test } from "vitest"
import { CurrentSession } from "../../src/face/effect/CurrentSession.ts"
import { CurrentTask } from "../../src/face/effect/CurrentTask.ts"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { settle } from "../support/VirtualClock.ts"
import { Database, QueryError, start, type Models } from "./support.ts"

class Rooms extends Sessions.Service<Rooms>()("test/Rooms", {
  layer: () => Database.layer,
  idleTimeout: "1 minute",
}) {}

test("L8: a lease holds its session for as long as its scope, and its work runs in turns", async () => {
  const app = await start(Rooms)
  const held = app.run(
    Effect.scoped(
      Effect.gen(function* () {
        const lease = yield* Rooms.lease("a", { name: "socket" })
        yield* Effect.sleep("10 minutes")
        return yield* lease.run(
          Effect.map(Database, (database) => [database.session, lease.session.generation]),
        )
      }),
    ),
  )
  await app.clock.advance(10 * 60_000)
  expect(await held).toEqual(["a", 1])
  expect((await app.run(Rooms.explain("a"))).state).toBe("Ready")
  await app.clock.advance(60_000)
  expect((await app.run(Rooms.explain("a"))).state).toBe("Closed")
  await app.stop()
})

test("L8: a lease ends with its generation and says why; later work of it is refused", async () => {
  const app = await start(Rooms)
  const outcome = app.run(
    Effect.scoped(
      Effect.gen(function* () {
        const lease = yield* Rooms.lease("a")
        const ended = yield* Effect.forkChild(lease.ended, { startImmediately: true })
        yield* Rooms.restart("a")
        const why = yield* Fiber.join(ended)
        const error = yield* Effect.flip(lease.run(Database))
        return [
          why,
          error._tag === "SessionRefused" && error.reason,
          (yield* Rooms.run("a", Database)).session,
        ]
      }),
    ),
  )
  await settle()
  expect(await outcome).toEqual(["Restarted", "LeaseEnded", "a"])
  await app.stop()
})

test("L8: a lease request that is interrupted while it waits leaves nothing behind", async () => {
  const app = await start(Rooms)
  const caller = new AbortController()
  const waiting = app.run(Effect.scoped(Rooms.lease("a")), { signal: caller.signal })
  waiting.catch(() => {})
  caller.abort()
  await settle()
  await app.clock.advance(60_000)
  expect(app.registry.leases.live).toBe(0)
  expect(app.registry.sessions.size).toBe(0)
  await app.stop()
})

test("L2, L5: a stream is one turn: its elements come in order, its own error passes untouched", async () => {
  const app = await start(Rooms)
  const source = Stream.fromEffect(Database).pipe(
    Stream.flatMap((database) => Stream.make(1, 2, 3).pipe(Stream.map((n) => `${database.session}${n}`))),
  )
  expect(await app.run(Stream.runCollect(Rooms.stream("a", source)))).toEqual(["a1", "a2", "a3"])
  const failing = Stream.concat(Stream.make(1), Stream.fail(new QueryError("half way")))
  const seen: Array<number> = []
  const error = await app.run(
    Effect.flip(Stream.runForEach(Rooms.stream("a", failing), (n) => Effect.sync(() => seen.push(n)))),
  )
  expect(seen).toEqual([1])
  expect(error).toBeInstanceOf(QueryError)
  await app.stop()
})

test("L6, L22: leaving a stream early stops it and frees its turn", async () => {
  const app = await start(Rooms)
  const log: Array<string> = []
  const endless = Stream.tick("1 second").pipe(
    Stream.map(() => "tick"),
    Stream.ensuring(Effect.sync(() => log.push("stopped"))),
  )
  const two = app.run(Stream.runCollect(Stream.take(Rooms.stream("a", endless), 2)))
  await app.clock.advance(5000)
  expect(await two).toEqual(["tick", "tick"])
  await settle()
  expect(log).toEqual(["stopped"])
  expect(await app.run(Rooms.run("a", Effect.succeed("free")))).toBe("free")
  await app.stop()
})

test("L13: a stream whose consumer takes nothing is stalled and ended", async () => {
  const app = await start(Rooms)
  const reading = app.run(
    Effect.flip(Stream.runForEach(Rooms.stream("a", Stream.range(1, 10)), () => Effect.sleep("2 minutes"))),
  )
  await app.clock.advance(120_000)
  expect(await reading).toMatchObject({ _tag: "TaskStopped", reason: "Stalled", started: true })
  await app.stop()
})

test("L8, L13: background work holds the session, is shown, and ends with it", async () => {
  const app = await start(Rooms)
  const log: Array<string> = []
  const work = Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted"))))
  const accepted = await app.run(
    Rooms.run(
      "a",
      Effect.flatMap(CurrentTask, (task) => task.background("index", work)),
    ),
  )
  expect(accepted).toBe(true)
  await app.clock.advance(120_000)
  const explained = await app.run(Rooms.explain("a"))
  expect(explained.alive.map((one) => [one.kind, one.name])).toEqual([["background", "index"]])
  await app.run(Rooms.close("a"))
  expect(log).toEqual(["interrupted"])
  await app.stop()
})

test("L4: behind a hanging finalizer of the layer's scope the others wait, those of onClose do not", async () => {
  const log: Array<string> = []
  class Hanging extends Sessions.Service<Hanging>()("test/Hanging", {
    layer: (session) =>
      Layer.effectDiscard(
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => Effect.sync(() => log.push("in scope")))
          yield* Effect.addFinalizer(() => Effect.never)
          yield* session.onClose(() => Effect.sync(() => log.push("onClose 1")))
          yield* session.onClose(() => Effect.never)
          yield* session.onClose(() => Effect.sync(() => log.push("onClose 3")))
        }),
      ),
    timeouts: { close: "9 seconds" },
  }) {}
  const app = await start(Hanging as typeof Hanging & { readonly layer: Layer.Layer<Hanging, never, Models> })
  await app.run(Hanging.run("a", Effect.void))
  const closing = app.run(Hanging.close("a"))
  await app.clock.advance(3000)
  expect(log).toEqual(["onClose 3", "onClose 1"])
  await app.clock.advance(6000)
  expect(await closing).toMatchObject({ leaked: true })
  expect(log).not.toContain("in scope")
  expect((await app.run(Hanging.run("a", CurrentTask))).session.generation).toBe(1)
  const stopping = app.stop()
  await app.clock.advance(30_000)
  await stopping
})

test("L12, L21: brokenUnsafe stops what runs and rebuilds; said again by the old generation it is ignored", async () => {
  const broken: Array<(cause?: unknown) => void> = []
  class Fragile extends Sessions.Service<Fragile>()("test/Fragile", {
    layer: (session) => Layer.effectDiscard(Effect.sync(() => broken.push(session.brokenUnsafe))),
  }) {}
  const app = await start(Fragile as typeof Fragile & { readonly layer: Layer.Layer<Fragile, never, Models> })
  const running = app.run(Effect.flip(Fragile.run("a", Effect.never)))
  const queued = app.run(
    Fragile.run(
      "a",
      Effect.map(CurrentTask, (task) => task.session.serial),
    ),
  )
  await settle()
  broken[0]?.("lost")
  expect(await running).toMatchObject({ _tag: "TaskStopped", reason: "Broken" })
  expect(await queued).toBe(2)
  broken[0]?.("again")
  expect(
    await app.run(
      Fragile.run(
        "a",
        Effect.map(CurrentTask, (task) => task.session.serial),
      ),
    ),
  ).toBe(2)
  await app.stop()
})

test("L4, L24: state saved at an orderly end is restored to the next life, and forgotten by close", async () => {
  const restored: Array<unknown> = []
  class Saved extends Sessions.Service<Saved>()("test/Saved", {
    layer: () =>
      Layer.effectDiscard(
        Effect.flatMap(CurrentSession, (session) => {
          restored.push(session.restored)
          return session.save(Effect.succeed({ life: session.serial }))
        }),
      ),
    idleTimeout: "1 second",
  }) {}
  const app = await start(Saved as typeof Saved & { readonly layer: Layer.Layer<Saved, never, Models> })
  await app.run(Saved.run("a", Effect.void))
  await app.clock.advance(1000)
  await app.run(Saved.run("a", Effect.void))
  await app.run(Saved.close("a"))
  await app.run(Saved.run("a", Effect.void))
  expect(restored).toEqual([undefined, { life: 1 }, undefined])
  await app.stop()
})

test("L16: events are a stream, alternating Opened and Closed", async () => {
  const app = await start(Rooms)
  const reading = app.run(
    Rooms.events.pipe(
      Stream.filter((event) => event._tag === "Opened" || event._tag === "Closed"),
      Stream.take(4),
      Stream.map((event) => event._tag),
      Stream.runCollect,
    ),
  )
  await settle()
  for (let round = 0; round < 2; round++) {
    await app.run(Rooms.run("a", Effect.void))
    await app.run(Rooms.close("a"))
  }
  expect(await reading).toEqual(["Opened", "Closed", "Opened", "Closed"])
  await app.stop()
})
