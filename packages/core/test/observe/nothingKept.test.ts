import { queryObjects } from "node:v8"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { expect, test } from "vitest"
import { CurrentTask } from "../../src/face/effect/CurrentTask.ts"
import { EffectTask } from "../../src/face/effect/EffectTask.ts"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { PromiseTask } from "../../src/face/promise/PromiseTask.ts"
import { captureTaskStacks, watchTasksClosely } from "../../src/inspect.ts"
import { Activity } from "../../src/observe/Activity.ts"
import { start, type Models } from "../effect/support.ts"
import { world } from "../support/ledger.ts"
import { inspect } from "../support/inspected.ts"

/** How many are alive; collects garbage first. */
const alive = (kind: new (...args: never) => object): number => queryObjects(kind, { format: "count" })
const few = 20

test("L16 L26: of tasks that have ended nothing is kept, whoever looked at them, and however they ended", async () => {
  const w = world({
    timeouts: { grace: 10, close: 100 },
    concurrency: 9,
    restart: { times: 10_000, delay: 0 },
  })
  const stacks = captureTaskStacks({ share: 0.5 })
  const looks = watchTasksClosely()
  const of = inspect(w)
  const told: Array<Promise<unknown>> = []
  for (let round = 0; round < 60; round++) {
    const leaves = new AbortController()
    const call = (name: string, work: () => unknown) =>
      told.push(w.sessions.run(`k${round % 4}`, work, { name, signal: leaves.signal }).catch(() => {}))
    call("returns", () => round)
    call("calls", () => w.sessions.run(`other ${round % 4}`, () => w.clock.after(5), { name: "called" }))
    call("is cancelled", () => w.clock.after(50))
    call("is cut", () => new Promise(() => {}))
    await w.clock.advance(1)
    of.each((session) => {
      for (const task of session.tasks())
        void [task.isSuspended, task.stop, task.parent, task.caller, task.stack, [...task.calls()]]
    })
    leaves.abort(new Error("left"))
    void w.sessions.close(`k${round % 4}`)
    await w.clock.advance(500)
  }
  await Promise.all(told)
  void [...of.recent(), ...of.unended()]
  await w.sessions.close("a")
  await w.clock.advance(1000)
  expect([...of.unended()].length).toBeGreaterThan(50)
  looks[Symbol.dispose]()
  stacks[Symbol.dispose]()
  // The test's own: events carry errors, which carry what they explain.
  w.events.length = 0
  told.length = 0
  expect([alive(PromiseTask) < few, alive(Activity) < few]).toEqual([true, true])
})

class Thing extends Context.Service<Thing, object>()("test/KeptThing") {}
class Jobs extends Sessions.Service<Jobs>()("test/KeptJobs", {
  layer: () => Layer.succeed(Thing, {}) as Layer.Layer<Thing, never, Models>,
}) {}
class Request extends Context.Service<Request, Body>()("test/KeptRequest") {}
/** What came with a request, and must go with it. */
class Body {
  readonly bytes = new Uint8Array(1000)
}

test("L16 L19: of an Effect neither the task is kept, nor its caller's context", async () => {
  const app = await start(Jobs)
  for (let round = 0; round < 500; round++) {
    const work = Effect.flatMap(CurrentTask, () => Effect.sleep(1))
    const run = app.run(
      Effect.provideService(Jobs.run("a", Effect.andThen(Request, work)), Request, new Body()),
    )
    await app.clock.advance(1)
    await run
  }
  expect([...inspect({ sessions: app.registry }).recent()].every(({ resumes }) => (resumes ?? 0) >= 2)).toBe(
    true,
  )
  expect([alive(EffectTask) < few, alive(Activity) < few, alive(Body) < few]).toEqual([true, true, true])
  const stopped = app.stop()
  await app.clock.advance(1000)
  await stopped
})
