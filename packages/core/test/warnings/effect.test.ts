/** What is known of a task on the Effect face alone: whether its fibers go on, and whether they can be interrupted. */
import * as Effect from "effect/Effect"
import { expect, test } from "vitest"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { Database, start } from "../effect/support.ts"
import { watching } from "./support.ts"

class Jobs extends Sessions.Service<Jobs>()("test/Jobs", {
  layer: () => Database.layer,
  concurrency: 4,
  timeouts: { silence: "5 minutes" },
}) {}

const begin = async () => {
  const app = await start(Jobs)
  const watched = watching(
    { clock: app.clock, sessions: app.registry },
    {
      thresholds: { "task-overdue": false },
    },
  )
  return { app, ...watched }
}

test("L16 L13: a fiber that goes on is no task without progress; one that is stuck is", async () => {
  const { app, one, raised, warnings } = await begin()
  const polling = Effect.forever(Effect.sleep("20 seconds"))
  const goesOn = app.run(Jobs.run("a", polling, { name: "polls" }))
  const stuck = app.run(Jobs.run("a", Effect.never, { name: "stuck" }))
  void Promise.allSettled([goesOn, stuck])
  await app.clock.advance(65_000)
  expect([raised(), one("task-no-progress")?.task?.name]).toEqual([["task-no-progress"], "stuck"])
  await app.clock.advance(60_000)
  expect(warnings.counts()["task-no-progress"].activations).toBe(1)
  warnings[Symbol.dispose]()
  void app.stop()
  await app.clock.advance(60_000)
})

test("L16 L6: uninterruptible, of a fiber in an uninterruptible region; it clears when that ends", async () => {
  const { app, one, raised, warnings } = await begin()
  const region = Effect.uninterruptible(Effect.sleep("30 seconds"))
  const gone = new AbortController()
  const call = app.run(Jobs.run("a", region, { name: "region" }), { signal: gone.signal }).catch(() => "gone")
  await app.clock.advance(2000)
  gone.abort()
  await app.clock.advance(5000)
  expect(raised()).toEqual([])
  await app.clock.advance(2000)
  expect([raised(), one("uninterruptible")?.task?.name]).toEqual([["uninterruptible"], "region"])
  await app.clock.advance(25_000)
  expect([raised(), await call]).toEqual([[], "gone"])
  warnings[Symbol.dispose]()
  void app.stop()
  await app.clock.advance(60_000)
})

test("L16 L6: an interruptible fiber that is interrupted raises nothing", async () => {
  const { app, warnings } = await begin()
  const gone = new AbortController()
  const call = app.run(Jobs.run("a", Effect.never), { signal: gone.signal }).catch(() => "gone")
  await app.clock.advance(2000)
  gone.abort()
  await app.clock.advance(20_000)
  expect([await call, warnings.recent()]).toEqual(["gone", []])
  warnings[Symbol.dispose]()
  await app.stop()
})
