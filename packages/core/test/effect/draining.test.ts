/** `CurrentTask.draining` as Effect programs use it. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { expect, test, vi } from "vitest"
import { CurrentTask } from "../../src/face/effect/CurrentTask.ts"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { settle } from "../support/VirtualClock.ts"
import { Database, start } from "./support.ts"

class Feeds extends Sessions.Service<Feeds>()("test/Feeds", {
  layer: () => Database.layer,
  timeouts: { silence: "Infinity" },
}) {}

const untilDrain = Effect.flatMap(CurrentTask, (task) => task.draining)

test("L14: a stream without end that is interrupted by it ends by itself, and the drain reports nothing cut", async () => {
  const app = await start(Feeds)
  const endless = Stream.tick("1 second").pipe(
    Stream.map(() => "tick"),
    Stream.interruptWhen(untilDrain),
    Stream.concat(Stream.make("good bye")),
  )
  const read = app.run(Stream.runCollect(Feeds.stream("a", endless)))
  await app.clock.advance(2500)
  const report = await app.run(Feeds.drain({ finishWithin: "1 minute" }))
  expect(await read).toEqual(["tick", "tick", "tick", "good bye"])
  expect(report).toMatchObject({ finished: 1, cut: [], leaked: [], durationMs: expect.any(Number) as number })
  await app.stop()
})

test("L14: work that is raced against it ends by itself; what comes after it still runs in the turn", async () => {
  const app = await start(Feeds)
  const running = app.run(
    Feeds.run(
      "a",
      Effect.gen(function* () {
        const first = yield* Effect.race(Effect.never, Effect.as(untilDrain, "the drain"))
        const nested = yield* Feeds.run("b", Database)
        const again = yield* Effect.exit(Feeds.run("a", Database))
        return [first, nested.session, again._tag]
      }),
    ),
  )
  await settle()
  const report = await app.run(Feeds.drain())
  expect(await running).toEqual(["the drain", "b", "Failure"])
  expect(report).toMatchObject({ finished: 2, cut: [] })
  await app.stop()
})

test("L21: who no longer waits for it leaves no listener behind, interrupted or beaten in a race", async () => {
  const app = await start(Feeds)
  const { signal } = app.registry.draining
  const added = vi.spyOn(signal, "addEventListener")
  const removed = vi.spyOn(signal, "removeEventListener")
  await app.run(
    Feeds.run(
      "a",
      Effect.gen(function* () {
        const waiting = yield* Effect.forkChild(untilDrain, { startImmediately: true })
        yield* Fiber.interrupt(waiting)
        for (let round = 0; round < 20; round++) yield* Effect.race(untilDrain, Effect.yieldNow)
      }),
    ),
  )
  expect(added.mock.calls.length).toBeGreaterThanOrEqual(21)
  const listeners = (calls: typeof added.mock.calls | typeof removed.mock.calls): ReadonlyArray<unknown> =>
    calls.map(([, listener]) => listener)
  expect(listeners(removed.mock.calls)).toEqual(listeners(added.mock.calls))

  // Read, and not run, it adds nothing.
  added.mockClear()
  await app.run(
    Feeds.run(
      "a",
      Effect.map(CurrentTask, (task) => [task.draining, task.draining].length),
    ),
  )
  expect(added).not.toHaveBeenCalled()
  await app.stop()
})

test("L14: after the drain has begun it succeeds at once, as often as it is asked", async () => {
  const app = await start(Feeds)
  const running = app.run(Feeds.run("a", Effect.andThen(untilDrain, Effect.andThen(untilDrain, untilDrain))))
  await settle()
  const report = await app.run(Feeds.drain())
  await running
  expect(report).toMatchObject({ finished: 1, cut: [] })
  await app.stop()
})
