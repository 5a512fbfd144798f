import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { expect, expectTypeOf, test } from "vitest"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { SessionMisuse, SessionOpenFailed, TaskStopped, type SessionError } from "../../src/errors.ts"
import { settle } from "../support/VirtualClock.ts"
import { type ConnectError, Database, type Models, QueryError, start } from "./support.ts"

class Workspaces extends Sessions.Service<Workspaces>()("test/Workspaces", {
  layer: () => Database.layer,
  idleTimeout: "15 minutes",
  maxPerOwner: 3,
}) {}
const query = (key: string, sql: string) =>
  Workspaces.run(
    key,
    Effect.flatMap(Database, (database) => database.query(sql)),
    { name: "query" },
  )

test("L1, L19: a layer is built once per session and never shared, what the application built is", async () => {
  const app = await start(Workspaces)
  const [a, b, again] = await app.run(
    Effect.all([Workspaces.run("a", Database), Workspaces.run("b", Database), Workspaces.run("a", Database)]),
  )
  expect([a.session, b.session]).toEqual(["a", "b"])
  expect(again.number).toBe(a.number)
  expect(b.number).not.toBe(a.number)
  expect(a.models).toBe(b.models)
  await app.stop()
})

test("L17: the task's own error passes untouched, the layer's arrives as the cause, and both are typed", async () => {
  const app = await start(Workspaces)
  expectTypeOf(query("a", "select 1")).toEqualTypeOf<
    Effect.Effect<string, QueryError | SessionError<ConnectError>, Workspaces>
  >()
  expect(await app.run(Effect.flip(query("a", "")))).toBeInstanceOf(QueryError)
  const failed = await app.run(Effect.flip(query("unreachable", "select 1")))
  expect(failed).toBeInstanceOf(SessionOpenFailed)
  expect(failed._tag === "SessionOpenFailed" && failed.cause.url).toBe("db://nowhere")
  const recovered = query("unreachable", "select 1").pipe(
    Effect.retry({
      while: (error) => error._tag === "SessionRefused",
      schedule: Schedule.spaced(1000),
      times: 3,
    }),
    Effect.catchTag("SessionOpenFailed", (error) => Effect.succeed(error.cause.url)),
  )
  const answer = app.run(recovered)
  await app.clock.advance(1000)
  expect(await answer).toBe("db://nowhere")
  await app.stop()
})

test("L5: a defect of the task stays a defect, and costs the session nothing", async () => {
  const app = await start(Workspaces)
  const bug = new Error("bug")
  const exit = await app.exit(Workspaces.run("a", Effect.die(bug)))
  expect(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && Cause.squash(exit.cause)).toBe(bug)
  expect(await app.run(query("a", "still here"))).toBe("a: still here")
  expect(app.registry.monitor.opens.count).toBe(1)
  await app.stop()
})

test("L7: a call that would wait for its own turn is a defect at once", async () => {
  const app = await start(Workspaces)
  const exit = await app.exit(Workspaces.run("a", query("a", "select 1")))
  expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(SessionMisuse)
  expect(Exit.isFailure(exit) && Cause.hasDies(exit.cause)).toBe(true)
  expect(await app.run(Workspaces.run("a", query("b", "other session")))).toBe("b: other session")
  await app.stop()
})

test("L5: interrupted, the caller's fiber waits for the end of its task, at most grace", async () => {
  const app = await start(Workspaces)
  const log: Array<string> = []
  const slow = Effect.never.pipe(
    Effect.onInterrupt(() =>
      Effect.sleep(1000).pipe(Effect.andThen(Effect.sync(() => log.push("released")))),
    ),
  )
  const caller = new AbortController()
  const waited = app.run(
    Workspaces.run("a", slow).pipe(Effect.onInterrupt(() => Effect.sync(() => log.push("caller")))),
    { signal: caller.signal },
  )
  waited.catch(() => {})
  await settle()
  caller.abort()
  await app.clock.advance(999)
  expect(log).toEqual([])
  await app.clock.advance(1)
  expect(log).toEqual(["released", "caller"])
  const hung = new AbortController()
  const stuck = app.run(
    Workspaces.run("a", Effect.uninterruptible(Effect.never)).pipe(
      Effect.onInterrupt(() => Effect.sync(() => log.push("gave up"))),
    ),
    { signal: hung.signal },
  )
  stuck.catch(() => {})
  await settle()
  hung.abort()
  await app.clock.advance(4999)
  expect(log).not.toContain("gave up")
  await app.clock.advance(1)
  expect(log).toContain("gave up")
  const stopping = app.stop()
  await app.clock.advance(60_000)
  await stopping
})

test("L17: closed while it runs, a task that obeys ends interrupted with TaskStopped", async () => {
  const app = await start(Workspaces)
  const running = app.run(Effect.flip(Workspaces.run("a", Effect.never)))
  await settle()
  const report = await app.run(Workspaces.close("a"))
  expect(report?.reason).toBe("Requested")
  const error = await running
  expect(error).toBeInstanceOf(TaskStopped)
  expect(error._tag === "TaskStopped" && [error.reason, error.started, error.abandoned]).toEqual([
    "Closed",
    true,
    false,
  ])
  await app.stop()
})

test("L14: closing the layer's scope drains: running tasks finish, sessions close", async () => {
  const app = await start(Workspaces)
  const finishing = app.run(Workspaces.run("drained", Effect.as(Effect.sleep(3000), "done")))
  await settle()
  const stopped = app.stop()
  await settle()
  const late = await app.exit(query("late", "select 1"))
  expect(Exit.isFailure(late) && Cause.squash(late.cause)).toMatchObject({
    _tag: "SessionRefused",
    reason: "Draining",
  })
  await app.clock.advance(3000)
  expect(await finishing).toBe("done")
  await stopped
  expect(Database.closed).toContain("drained")
})

test("L17: a wrong option is told where the service is declared", () => {
  expect(() => Sessions.Service()("test/Wrong", { layer: () => Layer.empty, idleTimeout: -1 })).toThrowError(
    /idleTimeout: .*-1/,
  )
  expect(() => Sessions.Service()("", { layer: () => Layer.empty })).toThrowError(/name/)
})

test("L19: a task runs with its own caller's services and references, the opening with the application's alone", async () => {
  class Who extends Context.Reference("test/Who", { defaultValue: () => "nobody" }) {}
  const seen: Array<string> = []
  class Watched extends Sessions.Service<Watched>()("test/Watched", {
    layer: () =>
      Layer.effectDiscard(Effect.flatMap(Who, (who) => Effect.sync(() => seen.push(`open by ${who}`)))),
  }) {}
  const app = await start(Watched as typeof Watched & { readonly layer: Layer.Layer<Watched, never, Models> })
  const as = (who: string) =>
    Watched.run(
      "a",
      Effect.flatMap(Who, (me) => Effect.sync(() => seen.push(me))),
    ).pipe(Effect.provideService(Who, who))
  await app.run(Effect.all([as("first"), as("second")], { concurrency: "unbounded" }))
  expect(seen).toEqual(["open by nobody", "first", "second"])
  await app.stop()
})

test("L26: what the application still needs is asked for by the type of the layer", () => {
  expectTypeOf(Workspaces.layer).toEqualTypeOf<Layer.Layer<Workspaces, never, Models>>()
})
