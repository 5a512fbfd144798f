/** Real requests to a real Express with a real `traceparent`, and spans that arrive at a collector. */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { createSessions } from "@sojourn/core"
import { fromRequest, sendSse, sessionErrors } from "@sojourn/express"
import { afterEach, beforeEach, expect, test } from "vitest"
import { traceSessions } from "../src/index.ts"
import { serve, traceparent } from "./support/express.ts"
import { Receiver } from "./support/Receiver.ts"
import { Sdk } from "./support/sdk.ts"

let receiver: Receiver
let sdk: Sdk
let tracing: Disposable
beforeEach(async () => {
  receiver = await Receiver.listen()
  sdk = new Sdk(new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` }))
  tracing = traceSessions()
})
afterEach(async () => {
  tracing[Symbol.dispose]()
  await sdk[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

/** As a browser or a gateway begins a trace. */
const traced = (trace: string, span: string): { readonly headers: Record<string, string> } => ({
  headers: { traceparent: `00-${trace.repeat(32)}-${span.repeat(16)}-01`, "x-user": "alice" },
})
const owner = { owner: (req: { get: (name: string) => string | undefined }) => req.get("x-user") }
const flushed = async (): Promise<void> => {
  await sdk.provider.forceFlush()
  expect([sdk.open.spans.size, receiver.refused]).toEqual([0, []])
}

test("from one service through a session to the next: one trace, over HTTP, to the collector", async () => {
  await using prices = await serve(sdk.app, (app) => {
    app.get("/price", (_, res) => void res.json(7))
  })
  const baskets = createSessions({ name: "baskets", open: async () => ({ items: 0 }) })
  await using shop = await serve(sdk.app, (app) => {
    const basket = fromRequest(baskets, owner)
    app.post("/items", async (req, res) => {
      const price = await basket(req, res).run(async function add(own) {
        own.items++
        const answer = await fetch(`${prices.url}/price`, { headers: traceparent() })
        return Number(await answer.text())
      })
      res.json(price)
    })
    app.use(sessionErrors())
  })
  const answer = await fetch(`${shop.url}/items`, { method: "POST", ...traced("a", "b") })
  expect(await answer.json()).toBe(7)
  await baskets.drain()
  await flushed()
  expect(receiver.tree).toEqual([
    "GET /price < add baskets",
    `POST /items < ${"b".repeat(16)}`,
    "add baskets < POST /items",
    "close baskets",
    "open baskets",
  ])
  const turn = receiver.named("add baskets")
  const opening = receiver.named("open baskets")
  expect(turn.traceId).toBe("a".repeat(32))
  expect(receiver.named("GET /price").traceId).toBe("a".repeat(32))
  expect(opening.traceId).not.toBe("a".repeat(32))
  expect([turn.links, opening.links]).toEqual([[opening.spanId], [turn.spanId]])
  expect(turn).toMatchObject({
    service: "shop",
    scope: "@sojourn/opentelemetry",
    status: 0,
    events: ["started"],
  })
  expect(turn.attributes).toMatchObject({
    "sojourn.registry": "baskets",
    "sojourn.generation.number": 1,
    "sojourn.outcome": "succeeded",
  })
  expect(turn.endedAt).toBeGreaterThanOrEqual(turn.startedAt)
})

test("L19: two requests of two traces, one behind the other in a session: each turn is its own request's", async () => {
  const held = Promise.withResolvers<void>()
  const began = Promise.withResolvers<void>()
  const rooms = createSessions({ name: "rooms", open: () => ({}) })
  await using server = await serve(sdk.app, (app) => {
    const room = fromRequest(rooms, owner)
    app.get("/first", async (req, res) => {
      const seen = await room(req, res).run(
        async () => {
          began.resolve()
          await held.promise
          return traceparent()
        },
        { name: "first" },
      )
      res.json(seen)
    })
    app.get("/second", async (req, res) => {
      const turn = room(req, res).run(() => traceparent(), { name: "second" })
      held.resolve()
      res.json(await turn)
    })
  })
  const first = fetch(`${server.url}/first`, traced("1", "2"))
  await began.promise
  const second = await fetch(`${server.url}/second`, traced("3", "4"))
  const seen = (await Promise.all([(await first).json(), second.json()])) as ReadonlyArray<
    Record<string, string>
  >
  await rooms.drain()
  await flushed()
  const [one, two] = [receiver.named("first rooms"), receiver.named("second rooms")]
  expect(seen.map((headers) => headers["traceparent"])).toEqual([
    `00-${"1".repeat(32)}-${one.spanId}-01`,
    `00-${"3".repeat(32)}-${two.spanId}-01`,
  ])
  expect(receiver.tree.filter((line) => line.includes("rooms <"))).toEqual([
    "first rooms < GET /first",
    "second rooms < GET /second",
  ])
  expect(two.attributes["sojourn.task.queue_ms"]).toBeGreaterThan(0)
})

test("a client that leaves in the middle of a stream: its span ends as cancelled, when the stream's work has", async () => {
  const closed = Promise.withResolvers<void>()
  const feeds = createSessions({ name: "feeds", open: () => ({}) })
  await using server = await serve(sdk.app, (app) => {
    const feed = fromRequest(feeds, owner)
    app.get("/feed", async (req, res) => {
      const stream = feed(req, res).stream(
        async function* (_, { signal }) {
          try {
            for (let count = 0; !signal.aborted; count++) yield count
          } finally {
            closed.resolve()
          }
        },
        { name: "watch" },
      )
      await sendSse(res, stream)
    })
  })
  const gone = new AbortController()
  const answer = await fetch(`${server.url}/feed`, { ...traced("5", "6"), signal: gone.signal })
  await answer.body?.getReader().read()
  gone.abort()
  await closed.promise
  await feeds.drain()
  await flushed()
  const span = receiver.named("watch feeds")
  expect(span.traceId).toBe("5".repeat(32))
  expect(span.attributes).toMatchObject({ "sojourn.outcome": "cancelled", "sojourn.task.kind": "stream" })
  expect([span.status, span.attributes["error.type"]]).toEqual([0, undefined])
})

test("refused and failed turns arrive as errors, without a text", async () => {
  const stores = createSessions({
    name: "stores",
    maxQueued: 0,
    open: () => Promise.reject(new Error("password hunter2")),
  })
  await using server = await serve(sdk.app, (app) => {
    const store = fromRequest(stores, owner)
    app.get("/", async (req, res) => void res.json(await store(req, res).run(() => 1, { name: "read" })))
    app.use(sessionErrors())
  })
  const answer = await fetch(server.url, traced("7", "8"))
  await answer.body?.cancel()
  expect(answer.status).toBeGreaterThanOrEqual(500)
  await stores.drain()
  await flushed()
  expect(receiver.named("read stores")).toMatchObject({
    status: 2,
    attributes: {
      "sojourn.outcome": "rejected",
      "sojourn.reason": "Failed",
      "error.type": "SessionOpenFailed",
    },
  })
  expect(receiver.named("open stores")).toMatchObject({ status: 2, attributes: { "error.type": "Error" } })
  const shown = JSON.stringify(receiver.spans, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  )
  expect(shown).not.toContain("hunter2")
  expect(shown).not.toContain("alice")
})
