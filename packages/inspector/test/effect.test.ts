/** Registries of the Effect face are seen and acted on like any other. */
import { Sessions } from "@sojourn/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { expect, it, onTestFinished, vi } from "vitest"
import { connectInspector } from "../src/client.ts"
import { serve } from "./support.ts"

class Thing extends Context.Service<Thing, { readonly key: string }>()("test/Thing") {}
class Things extends Sessions.Service<Things>()("test/Things", {
  layer: ({ key }) => Layer.succeed(Thing, { key }),
}) {}

it("a task that is a fiber is shown, cancelled, and its session pinned as far as the face can", async () => {
  const runtime = ManagedRuntime.make(Things.layer)
  onTestFinished(() => runtime.dispose())
  const registry = await runtime.runPromise(Things)
  const work = runtime.runPromiseExit(Things.run("one", Effect.never, { name: "wait" }))
  const { url } = await serve({ sessions: [registry] })
  const client = connectInspector(url)
  await vi.waitFor(async () => expect((await client.tasks({ state: ["running"] })).tasks.total).toBe(1))
  const [task] = (await client.tasks()).tasks.rows
  if (task === undefined) throw new Error("there is none")
  expect(task).toMatchObject({ name: "wait", type: "turn", knownBy: "fibers" })
  expect((await client.session(task.kind, task.session)).words).toContain('turn "wait"')
  expect(await client.of(task.kind).cancel(task.session, task.id)).toMatchObject({
    state: "ended",
    affected: 1,
  })
  expect((await work)._tag).toBe("Failure")
  const { task: ended } = await client.task(task.kind, task.id)
  expect(ended.state).toBe("cancelled")
  const pin = await client
    .of(task.kind)
    .pin(task.session)
    .catch((error: { readonly code: string }) => error.code)
  // The Effect face gives leases in a scope only.
  expect(pin).toBe("not-possible")
  expect(await client.finished(await client.of(task.kind).evictIdle(1))).toMatchObject({ affected: 1 })
})
