/** Spans through Effect's own Tracer: what is current in a task, an opening and a close, and whose child it is. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { afterEach, describe, expect, test } from "vitest"
import { CurrentSession, CurrentTask } from "../../src/index.ts"
import { Sessions } from "../../src/face/effect/Sessions.ts"

class Kept extends Tracer.NativeSpan {
  get line(): string {
    const parent = Option.getOrUndefined(this.parent)
    const above = parent === undefined ? "" : ` in ${parent instanceof Kept ? parent.name : parent.spanId}`
    return `${this.name}${above}: ${this.status._tag === "Ended" ? this.status.exit._tag : "open"}`
  }
}
const keeper = () => {
  const spans: Array<Kept> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Kept(options)
      spans.push(span)
      return span
    },
  })
  const named = (name: string): Kept => {
    const found = spans.find((span) => span.name === name)
    if (found === undefined)
      throw new Error(`There is no span ${name}: ${spans.map((span) => span.name).join()}`)
    return found
  }
  return { spans, tracer, named, lines: () => spans.map(({ line }) => line) }
}

class Unreachable extends Data.TaggedError("Unreachable")<{ readonly why: string }> {}
class Db extends Context.Service<Db, { readonly query: Effect.Effect<string> }>()("test/TracedDb") {}
const query = Effect.flatMap(Db, (db) => db.query)

const scopes: Array<Scope.Closeable> = []
afterEach(() =>
  Promise.all(scopes.splice(0).map((scope) => Effect.runPromise(Scope.close(scope, Exit.void)))),
)

let services = 0
const traced = async (
  options: { readonly failing?: boolean; readonly context?: Context.Context<never> } = {},
) => {
  const kept = keeper()
  class Dbs extends Sessions.Service<Dbs>()(`test/Dbs${++services}`, {
    layer: (session) =>
      Layer.effect(
        Db,
        Effect.gen(function* () {
          yield* Effect.void.pipe(Effect.withSpan("connect"))
          if (options.failing === true) return yield* new Unreachable({ why: "secret" })
          yield* session.onClose(() => Effect.void.pipe(Effect.withSpan("goodbye")))
          return { query: Effect.succeed("rows").pipe(Effect.withSpan("query")) }
        }),
      ),
  }) {}
  const scope = Scope.makeUnsafe()
  scopes.push(scope)
  const application = options.context ?? Context.make(Tracer.Tracer, kept.tracer)
  const built = await Effect.runPromiseWith(application)(Layer.buildWithScope(Dbs.layer, scope))
  const context = Context.merge(application, built)
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  return { ...kept, Dbs, context, close, name: `test/Dbs${services}` }
}

describe("spans of the Effect face", () => {
  test("L19: a turn is a child of its caller's span and what it does of the turn's; opening and close are their own", async () => {
    const { close, context, Dbs, lines, name, named } = await traced()
    const request = Dbs.run("a", query, { name: "load" }).pipe(
      Effect.annotateSpans("request", 7),
      Effect.withSpan("request"),
    )
    expect(await Effect.runPromiseWith(context)(request)).toBe("rows")
    await close()
    expect(lines()).toEqual([
      "request: Success",
      `load ${name} in request: Success`,
      `open ${name}: Success`,
      `connect in open ${name}: Success`,
      `query in load ${name}: Success`,
      `close ${name}: Success`,
      `goodbye in close ${name}: Success`,
    ])
    const [turn, open] = [named(`load ${name}`), named(`open ${name}`)]
    expect(turn.links.map(({ span }) => span)).toEqual([open])
    expect(open.links.map(({ span }) => span)).toEqual([turn])
    expect(turn.traceId).toBe(named("request").traceId)
    expect(open.traceId).not.toBe(turn.traceId)
    expect(turn.attributes.get("request")).toBe(7)
    expect(open.attributes.has("request")).toBe(false)
    expect(Object.fromEntries(turn.attributes)).toMatchObject({
      "sojourn.registry": name,
      "sojourn.task.name": "load",
      "sojourn.outcome": "succeeded",
      "sojourn.generation.serial": 1,
    })
    expect(turn.events.map(([event]) => event)).toEqual(["started"])
  })

  test("no Tracer in the layer's context: nothing is made, though its caller has one", async () => {
    const { context, Dbs, lines } = await traced({ context: Context.empty() })
    const own = keeper()
    const run = Dbs.run("a", query).pipe(Effect.withSpan("request"), Effect.withTracer(own.tracer))
    await Effect.runPromiseWith(context)(run)
    expect([lines(), own.lines()]).toEqual([[], ["request: Success", "query in request: Success"]])
  })

  test("a caller's own Tracer gets the turn; one that has none, or wants none, is not asked for it", async () => {
    const { context, Dbs, lines, name, spans } = await traced()
    const own = keeper()
    await Effect.runPromiseWith(context)(Dbs.run("a", Effect.void).pipe(Effect.withTracer(own.tracer)))
    expect([lines().slice(0, 1), own.lines()]).toEqual([[`open ${name}: Success`], [`run ${name}: Success`]])
    await Effect.runPromiseWith(context)(Dbs.run("a", query).pipe(Effect.withTracerEnabled(false)))
    expect(spans.length).toBe(2)
    await Effect.runPromiseWith(Context.omit(Tracer.Tracer)(context))(Dbs.run("a", Effect.void))
    expect(lines().at(-1)).toBe(`run ${name}: Success`)
  })

  test("failures have their kind and no text; an interruption is no failure", async () => {
    const { context, Dbs, name, spans } = await traced()
    const run = Effect.runPromiseExitWith(context)
    await run(Dbs.run("a", Effect.fail({ _tag: "Declined", message: "secret" })))
    const started = Deferred.makeUnsafe<void>()
    const hangs = Dbs.run("a", Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
    const fiber = Effect.runForkWith(context)(hangs)
    await run(Deferred.await(started))
    await run(Fiber.interrupt(fiber))
    const [failed, cancelled] = spans.filter((span) => span.name === `run ${name}`)
    expect(
      JSON.stringify(failed?.status, (_, value: unknown) => (typeof value === "bigint" ? 0 : value)),
    ).not.toContain("secret")
    expect(failed?.attributes.get("error.type")).toBe("Declined")
    expect(cancelled?.attributes.get("sojourn.outcome")).toBe("cancelled")
    expect(cancelled?.attributes.has("error.type")).toBe(false)
    const status = cancelled?.status
    expect(status?._tag === "Ended" && Exit.hasInterrupts(status.exit)).toBe(true)
  })

  test("an opening that fails: its own trace says so, and the turn that waited is linked to it", async () => {
    const { context, Dbs, lines, name, named } = await traced({ failing: true })
    await Effect.runPromiseExitWith(context)(Dbs.run("a", query))
    expect(lines().slice(0, 3)).toEqual([
      `run ${name}: Failure`,
      `open ${name}: Failure`,
      `connect in open ${name}: Success`,
    ])
    expect(named(`open ${name}`).attributes.get("error.type")).toBe("Unreachable")
    expect(named(`run ${name}`).links.map(({ span }) => span)).toEqual([named(`open ${name}`)])
  })

  test("streams, leases, background work and calls from one service into another", async () => {
    const outer = await traced()
    const inner = await traced({ context: Context.make(Tracer.Tracer, outer.tracer) })
    const context = Context.merge(outer.context, inner.context)
    const run = Effect.runPromiseWith(context)
    await run(outer.Dbs.run("a", Effect.void, { name: "first" }))
    await run(inner.Dbs.run("b", Effect.void, { name: "first" }))
    const before = outer.spans.length
    const idle = Deferred.makeUnsafe<void>()
    const all = Effect.gen(function* () {
      const pulled = Stream.mapEffect(Stream.make(1, 2), (n) =>
        Effect.succeed(n).pipe(Effect.withSpan("pull")),
      )
      yield* Stream.runCollect(outer.Dbs.stream("a", pulled, { name: "feed" }))
      const lease = yield* outer.Dbs.lease("a", { name: "socket" })
      yield* lease.run(query, { name: "beat" })
      const nested = inner.Dbs.run("b", query, { name: "nested" })
      const background = Effect.flatMap(CurrentTask, (task) =>
        task.background(
          "tidy",
          Effect.andThen(Deferred.await(idle), Effect.void.pipe(Effect.withSpan("sweep"))),
        ),
      )
      yield* outer.Dbs.run("a", Effect.andThen(nested, background), { name: "turn" })
    }).pipe(Effect.withSpan("request"), Effect.scoped)
    await run(all)
    await run(Deferred.succeed(idle, undefined))
    await outer.close()
    expect(
      outer
        .lines()
        .slice(before)
        .filter((line) => !/^(close|goodbye)/.test(line)),
    ).toEqual([
      "request: Success",
      `feed ${outer.name} in request: Success`,
      `pull in feed ${outer.name}: Success`,
      `pull in feed ${outer.name}: Success`,
      `socket ${outer.name} in request: Success`,
      `beat ${outer.name} in request: Success`,
      `query in beat ${outer.name}: Success`,
      `turn ${outer.name} in request: Success`,
      `nested ${inner.name} in turn ${outer.name}: Success`,
      `query in nested ${inner.name}: Success`,
      `tidy ${outer.name} in turn ${outer.name}: Success`,
      `sweep in tidy ${outer.name}: Success`,
    ])
  })

  test("a parent from elsewhere, such as a request's header, is the turn's", async () => {
    const { context, Dbs, lines, name, named } = await traced()
    const header = Tracer.externalSpan({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
    })
    await Effect.runPromiseWith(context)(Dbs.run("a", query).pipe(Effect.withParentSpan(header)))
    expect(lines()[0]).toBe(`run ${name} in b7ad6b7169203331: Success`)
    expect(named(`run ${name}`).traceId).toBe("0af7651916cd43dd8448eb211c80319c")
    expect(named(`open ${name}`).traceId).not.toBe("0af7651916cd43dd8448eb211c80319c")
  })

  test("a turn's span is made as Effect makes one: sampling, levels, links and annotations of its caller", async () => {
    const { context, Dbs, name, named, spans } = await traced()
    const remote = Tracer.externalSpan({ traceId: "1".repeat(32), spanId: "2".repeat(16) })
    const unsampled = Tracer.externalSpan({ ...remote, sampled: false })
    const hidden = Tracer.externalSpan({
      ...remote,
      annotations: Context.make(Tracer.DisablePropagation, true),
    })
    const callers: ReadonlyArray<<A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>> = [
      Effect.annotateSpans("tenant", "t7"),
      Effect.linkSpans(remote, { why: "batch" }),
      Effect.provideService(Tracer.MinimumTraceLevel, "Error"),
      Effect.provideService(Tracer.ParentSpan, remote),
      Effect.provideService(Tracer.ParentSpan, unsampled),
      Effect.provideService(Tracer.ParentSpan, hidden),
      Effect.withTracerTiming(false),
    ]
    for (const caller of callers) {
      const key = "a"
      await Effect.runPromiseWith(context)(Dbs.run(key, Effect.void))
      spans.length = 0
      const both = Effect.andThen(
        Effect.flatMap(Effect.makeSpan("by Effect"), (span) =>
          Effect.sync(() => span.end(span.status.startTime, Exit.void)),
        ),
        Dbs.run(key, Effect.void),
      )
      await Effect.runPromiseWith(context)(caller(both))
      const [own, ours] = [named("by Effect"), named(`run ${name}`)]
      const facts = (span: Kept) => [
        span.sampled,
        span.kind,
        Option.map(span.parent, ({ spanId }) => spanId),
        span.links,
        span.annotations,
        span.status.startTime === 0n,
        span.attributes.get("tenant"),
      ]
      expect(facts(ours)).toEqual(facts(own))
    }
  })

  test("a release that the layer itself registers is its opening's, as Effect keeps the context of the acquisition", async () => {
    const kept = keeper()
    class Files extends Context.Service<Files, object>()("test/TracedFiles") {}
    class Folders extends Sessions.Service<Folders>()("test/Folders", {
      layer: () =>
        Layer.effect(
          Files,
          Effect.acquireRelease(Effect.succeed({}), () => Effect.void.pipe(Effect.withSpan("release"))),
        ),
    }) {}
    const scope = Scope.makeUnsafe()
    const context = Context.make(Tracer.Tracer, kept.tracer)
    const built = await Effect.runPromiseWith(context)(Layer.buildWithScope(Folders.layer, scope))
    await Effect.runPromiseWith(Context.merge(context, built))(
      Folders.run("a", Effect.asVoid(CurrentSession)),
    )
    await Effect.runPromise(Scope.close(scope, Exit.void))
    expect(kept.lines().at(-1)).toBe("release in open test/Folders: Success")
  })
})
