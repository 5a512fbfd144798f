/** The Effect face: its own exporter needs none of this package; with the stock SDK alone it is traced as any registry. */
import { trace } from "@opentelemetry/api"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { CurrentSession, Sessions } from "@sojourn/core"
import * as OtelTracer from "@effect/opentelemetry/OtelTracer"
import { Context, Data, Effect, Layer, ManagedRuntime, Tracer } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"
import { expect, test } from "vitest"
import { traceSessions } from "../src/index.ts"
import { serve } from "./support/express.ts"
import { Receiver } from "./support/Receiver.ts"
import { Sdk } from "./support/sdk.ts"

class Declined extends Data.TaggedError("Declined")<{ readonly why: string }> {}
class Db extends Context.Service<Db, { readonly query: Effect.Effect<string> }>()("test/Db") {
  static readonly layer = Layer.effect(
    Db,
    Effect.gen(function* () {
      const session = yield* CurrentSession
      yield* Effect.void.pipe(Effect.withSpan("connect"))
      yield* session.onClose(() => Effect.void.pipe(Effect.withSpan("goodbye")))
      return { query: Effect.succeed("rows").pipe(Effect.withSpan("query")) }
    }),
  )
}
class Dbs extends Sessions.Service<Dbs>()("dbs", { layer: () => Db.layer }) {}
const query = Effect.flatMap(Db, (db) => db.query)
const request = Dbs.run("alice", query, { name: "load" })

const remote = { traceId: "a".repeat(32), spanId: "b".repeat(16) }
const expected = [
  `request < ${remote.spanId}`,
  "load dbs < request",
  "open dbs",
  "connect < open dbs",
  "query < load dbs",
  "close dbs",
  "goodbye < close dbs",
].toSorted()

test("Effect's OTLP exporter: opening, turn and close arrive, with the right parents and links", async () => {
  await using receiver = await Receiver.listen()
  const exporter = Otlp.layerJson({ baseUrl: receiver.url, resource: { serviceName: "shop" } }).pipe(
    Layer.provide(FetchHttpClient.layer),
  )
  const runtime = ManagedRuntime.make(Dbs.layer.pipe(Layer.provideMerge(exporter)))
  const fromElsewhere = Effect.withParentSpan(Tracer.externalSpan(remote))
  expect(await runtime.runPromise(request.pipe(Effect.withSpan("request"), fromElsewhere))).toBe("rows")
  const fails = Dbs.run("alice", Effect.fail(new Declined({ why: "secret" })), { name: "fails" })
  expect((await runtime.runPromiseExit(fails))._tag).toBe("Failure")
  await runtime.dispose()
  expect(receiver.tree.filter((line) => !line.startsWith("fails"))).toEqual(expected)
  const [turn, opening, failed] = ["load dbs", "open dbs", "fails dbs"].map((name) => receiver.named(name))
  expect(turn?.traceId).toBe(remote.traceId)
  expect(opening?.traceId).not.toBe(remote.traceId)
  expect([turn?.links, opening?.links]).toEqual([[opening?.spanId], [turn?.spanId]])
  expect(turn).toMatchObject({ service: "shop", status: 1, events: ["started"] })
  expect(turn?.attributes).toMatchObject({
    "sojourn.registry": "dbs",
    "sojourn.task.kind": "turn",
    "sojourn.generation.serial": 1,
    "sojourn.outcome": "succeeded",
  })
  expect(failed).toMatchObject({ status: 2, attributes: { "error.type": "Declined" } })
  expect(JSON.stringify([turn?.attributes, opening?.attributes, failed?.attributes])).not.toMatch(
    /secret|alice/,
  )
})

test("Effect's bridge to the SDK: the same spans, and `traceSessions` makes no second ones", async () => {
  await using receiver = await Receiver.listen()
  await using sdk = new Sdk(new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` }))
  using _ = traceSessions()
  const runtime = ManagedRuntime.make(Dbs.layer.pipe(Layer.provideMerge(OtelTracer.layerGlobal)))
  const inTrace = OtelTracer.withSpanContext({ ...remote, traceFlags: 1 })
  await runtime.runPromise(request.pipe(Effect.withSpan("request"), inTrace))
  await runtime.dispose()
  await sdk.provider.forceFlush()
  expect(receiver.tree).toEqual(expected)
  expect(sdk.open.spans.size).toBe(0)
  expect(receiver.named("load dbs").links).toEqual([receiver.named("open dbs").spanId])
})

test("the SDK alone: turns of Express requests, and promises in them, as on the Promise face", async () => {
  await using receiver = await Receiver.listen()
  await using sdk = new Sdk(new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` }))
  using _ = traceSessions()
  const runtime = ManagedRuntime.make(Dbs.layer)
  const instrumented = Effect.promise(async () => {
    sdk.app.startSpan("fetch").end()
    return trace.getActiveSpan()?.spanContext().spanId
  })
  await using server = await serve(sdk.app, (app) => {
    app.get("/", async (_req, res) => {
      const turn = Dbs.run("alice", Effect.andThen(Effect.sleep(1), instrumented), { name: "load" })
      res.json(await runtime.runPromise(turn))
    })
  })
  const answer = await fetch(server.url, {
    headers: { traceparent: `00-${remote.traceId}-${remote.spanId}-01` },
  })
  const seen = await answer.json()
  await runtime.dispose()
  await sdk.provider.forceFlush()
  expect(receiver.tree).toEqual([
    `GET / < ${remote.spanId}`,
    "close dbs",
    "fetch < load dbs",
    "load dbs < GET /",
    "open dbs",
  ])
  expect(seen).toBe(receiver.named("load dbs").spanId)
})
