/** What is Fastify's own: its hooks, its error handlers, its log, HTTP/2, `inject`. */
import { allEvents, atRest, events, next, RawClient, take } from "@sojourn/adapter-contract"
import { SessionRefused } from "@sojourn/core"
import { setupFindings } from "@sojourn/core/host"
import fastify, { type FastifyInstance } from "fastify"
import { once } from "node:events"
import { connect, type ClientHttp2Stream } from "node:http2"
import { Readable, Transform } from "node:stream"
import { expect, onTestFinished, test } from "vitest"
import {
  browserOwner,
  createReloadableSessions,
  drainOnSignals,
  fromRequest,
  readiness,
  requestKey,
  sendSse,
  sendStream,
  sessionErrors,
} from "../src/index.ts"
import { counters, listen } from "./support.ts"

const numbers = async function* () {
  yield* [1, 2, 3]
}
const busy = new SessionRefused({ reason: "Busy", retryAfter: 1500 })
const refuses = (): never => {
  throw busy
}

test("a stream's answer goes through the application's hooks, with the headers they set", async () => {
  const sessions = counters()
  const seen: Array<string> = []
  const app = fastify()
  app.addHook("onRequest", async (_request, reply) => void reply.header("x-own", "1"))
  app.addHook("onSend", async (_request, reply, payload) => {
    seen.push(`${String(reply.getHeader("content-type"))} ${String(payload instanceof Readable)}`)
    reply.header("x-late", "2")
    return payload
  })
  app.addHook("onResponse", async (_request, reply) => void seen.push(`done ${reply.statusCode}`))
  app.get("/sse", (_request, reply) => sendSse(reply.code(201), sessions.stream("a", numbers)))
  app.get("/body", (_request, reply) => sendStream(reply, sessions.stream("a", numbers)))
  const url = await listen(app)

  const sse = await fetch(`${url}/sse`)
  expect([sse.status, sse.headers.get("x-own"), sse.headers.get("x-late")]).toEqual([201, "1", "2"])
  expect((await allEvents(sse)).map((event) => event["data"])).toEqual(["1", "2", "3"])
  const body = await fetch(`${url}/body`)
  expect([body.headers.get("x-own"), await body.text()]).toEqual(["1", "1\n2\n3\n"])
  expect(seen).toEqual(["text/event-stream true", "done 201", "application/x-ndjson true", "done 200"])
})

test("L5: a hook may put another stream around the body; a client that leaves still cancels", async () => {
  const sessions = counters()
  const app = fastify()
  app.addHook("onSend", async (_request, _reply, payload) => {
    const louder = new Transform({
      transform: (chunk: Buffer, _encoding, done) => done(null, chunk.toString().toUpperCase()),
    })
    const body = (payload as Readable).pipe(louder)
    // Headers are not known yet, and must not be sent.
    await new Promise((resolve) => setImmediate(resolve))
    return body
  })
  app.get("/", (_request, reply) =>
    sendSse(
      reply,
      sessions.stream("a", async function* (_counter, { signal }) {
        yield "loud"
        await once(signal, "abort")
      }),
    ),
  )
  const url = await listen(app)
  const ended = next(sessions, "TaskEnded")
  const response = await fetch(url)
  expect(response.headers.get("content-type")).toBe("text/event-stream")
  const stream = events(response)
  const [event] = await take(stream, 1)
  expect(event?.["DATA"]).toBe('"LOUD"')
  await stream.return(undefined)
  expect((await ended).outcome).toBe("cancelled")
})

test("L5: where a hook fails, the stream is not left running", async () => {
  const sessions = counters()
  const app = fastify()
  app.addHook("onSend", async (_request, reply, payload) => {
    if (reply.statusCode === 200) throw new Error("a hook's own")
    return payload
  })
  app.get("/sse", (_request, reply) => sendSse(reply, sessions.stream("a", numbers)))
  app.get("/body", (_request, reply) => sendStream(reply, sessions.stream("a", numbers)))
  const url = await listen(app)
  for (const path of ["/sse", "/body"]) {
    expect((await fetch(url + path)).status).toBe(500)
    await atRest(sessions)
  }
})

test("a HEAD of the application's own runs nothing on", async () => {
  const sessions = counters()
  let made = 0
  const app = fastify({ exposeHeadRoutes: false })
  app.head("/", (_request, reply) =>
    sendStream(
      reply,
      sessions.stream("a", async function* () {
        while (made < 10_000) yield made++
      }),
    ),
  )
  const response = await fetch(await listen(app), { method: "HEAD" })
  expect(response.headers.get("content-type")).toBe("application/x-ndjson")
  await atRest(sessions)
  expect(made).toBeLessThan(100)
})

test("a handler that returns nothing may send a stream as well", async () => {
  const sessions = counters()
  const app = fastify()
  app.get("/", (_request, reply) => {
    void sendSse(reply, sessions.stream("a", numbers))
  })
  expect(await allEvents(await fetch(await listen(app)))).toHaveLength(3)
})

test("L17: schema, serializer and headers of another body do not touch an answer of ours", async () => {
  const app = fastify()
  app.setErrorHandler(sessionErrors())
  const schema = { response: { "4xx": { type: "object", properties: { nothing: { type: "string" } } } } }
  app.get("/", { schema }, (_request, reply) => {
    reply.header("content-disposition", "attachment").header("etag", '"1"').type("text/csv")
    reply.serializer((payload) => `serialized: ${String(payload)}`)
    return refuses()
  })
  const response = await fetch(await listen(app))
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "retry-after": "2",
  })
  expect([...response.headers.keys()]).not.toEqual(expect.arrayContaining(["etag"]))
  expect(response.headers.has("content-disposition")).toBe(false)
  expect(await response.json()).toMatchObject({ status: 409, error: { reason: "Busy" } })
})

test("L17: what is not ours goes to the handler of the parent, and in the end to Fastify's own", async () => {
  const routes = (app: FastifyInstance): void => {
    app.setErrorHandler(sessionErrors())
    app.get("/ours", refuses)
    app.get("/own", () => Promise.reject(Object.assign(new Error("own"), { statusCode: 418 })))
    app.get<{ Querystring: { n: number } }>(
      "/checked",
      { schema: { querystring: { type: "object", required: ["n"], properties: { n: { type: "number" } } } } },
      ({ query }) => query,
    )
  }
  const alone = fastify()
  routes(alone)
  const inside = fastify()
  inside.setErrorHandler((error: Error, _request, reply) => reply.code(599).send(`parent: ${error.message}`))
  inside.register(async (app) => routes(app))

  const ask = async (app: FastifyInstance, url: string) => {
    const { statusCode, body } = await app.inject({ url })
    return [statusCode, body]
  }
  expect(await ask(alone, "/own")).toEqual([
    418,
    '{"statusCode":418,"error":"I\'m a Teapot","message":"own"}',
  ])
  expect((await ask(alone, "/checked"))[0]).toBe(400)
  expect((await ask(alone, "/nowhere"))[0]).toBe(404)
  expect((await ask(alone, "/ours"))[0]).toBe(409)
  expect(await ask(inside, "/own")).toEqual([599, "parent: own"])
  expect((await ask(inside, "/ours"))[0]).toBe(409)
})

test("inject, which tests use in place of a server, is answered like any other", async () => {
  const sessions = counters()
  const app = fastify()
  const session = fromRequest(sessions, { owner: (request) => request.headers.authorization })
  app.get("/run", async (request, reply) => session(request, reply).run((counter) => ({ ...counter })))
  app.get("/sse", (request, reply) => sendSse(reply, session(request, reply).stream(numbers)))
  app.get("/resume", async (request, reply) => sendSse(reply, await session(request, reply).resume()))
  app.get("/body", (request, reply) => sendStream(reply, session(request, reply).stream(numbers)))
  app.setErrorHandler(sessionErrors())
  const ask = (url: string) => app.inject({ url, headers: { authorization: "Bearer alice" } })
  expect((await ask("/run")).json()).toEqual({ turns: 0 })
  expect((await ask("/sse")).body).toMatch(
    /^id: \S+:1\ndata: 1\n\nid: \S+:2\ndata: 2\n\nid: \S+:3\ndata: 3\n\n$/,
  )
  expect((await ask("/body")).body).toBe("1\n2\n3\n")
  expect((await ask("/resume")).statusCode).toBe(204)
  expect((await app.inject("/run")).statusCode).toBe(401)
})

test("a content type that the handler has named is kept", async () => {
  const sessions = counters()
  const app = fastify()
  app.get("/", (_request, reply) =>
    sendStream(
      reply.type("text/csv"),
      sessions.stream("a", async function* () {
        yield "a,b\n"
      }),
    ),
  )
  app.get("/own", (_request, reply) =>
    sendStream(reply.type("text/csv"), sessions.stream("a", numbers), {
      headers: { "Content-Type": "text/x-own" },
      encode: String,
    }),
  )
  const url = await listen(app)
  expect((await fetch(url)).headers.get("content-type")).toMatch(/^text\/csv/)
  expect((await fetch(`${url}/own`)).headers.get("content-type")).toMatch(/^text\/x-own/)
})

test("the visitor's cookie stands beside what the answer has already", async () => {
  const sessions = counters()
  const app = fastify()
  const session = fromRequest(sessions, { owner: browserOwner({ secret: "a secret of the tests" }) })
  app.get("/", async (request, reply) => {
    reply.header("vary", "Accept").header("set-cookie", "own=1").header("cache-control", "no-store")
    return session(request, reply).run(() => ({}))
  })
  const { headers } = await fetch(await listen(app))
  expect(headers.get("vary")).toBe("Accept, Cookie")
  expect(headers.get("cache-control")).toBe("no-store")
  expect(headers.getSetCookie()).toEqual(["own=1", expect.stringMatching(/^sojourn=/)])
})

test("L17: errors after the headers are in the request's log, once each", async () => {
  const sessions = counters()
  const lines: Array<{ readonly level: number; readonly reqId: string; readonly err?: { message: string } }> =
    []
  const app = fastify({
    logger: { level: "warn", stream: { write: (line: string) => void lines.push(JSON.parse(line)) } },
  })
  const fails = () =>
    sessions.stream("a", async function* () {
      yield 1
      throw new Error("own")
    })
  app.get("/sse", (_request, reply) => sendSse(reply, fails()))
  app.get("/body", (_request, reply) => sendStream(reply, fails()))
  app.setErrorHandler(sessionErrors())
  const url = await listen(app)
  await (await fetch(`${url}/sse`)).text()
  await expect(fetch(`${url}/body`).then((response) => response.text())).rejects.toThrow("terminated")
  await app.close()
  expect(lines.map(({ level, reqId, err }) => [level, reqId, err?.message])).toEqual([
    [50, "req-1", "own"],
    [40, "req-2", "own"],
  ])
})

test("what an application gets wrong is said when it starts", async () => {
  const sessions = counters()
  const wrong = (make: () => unknown): void =>
    expect(make).toThrow(expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }))
  wrong(() => fromRequest(sessions, {} as never))
  wrong(() => requestKey({ owner: () => "a", id: "a" } as never))
  wrong(() => browserOwner({ secret: "short" }))
  wrong(() => sessionErrors({ statuses: { Busy: 200 } }))
  wrong(() => readiness({ sessions: [{}] as never }))
  const stream = sessions.stream("a", numbers)
  const app = fastify()
  app.get("/", (_request, reply) => sendSse(reply, stream, { keepAlive: 10 }))
  app.setErrorHandler(sessionErrors())
  expect((await app.inject("/")).json()).toMatchObject({ error: { reason: "InvalidOption" } })
  await atRest(sessions)
})

test("an owner who is taken from the request as it was sent is found", async () => {
  const app = fastify()
  const session = fromRequest(counters(), { owner: (request) => request.headers["x-user"] })
  app.get("/", async (request, reply) => session(request, reply).run(() => ({})))
  for (const user of ["alice", "bob"]) await app.inject({ url: "/", headers: { "x-user": user } })
  expect(setupFindings().map(({ code }) => code)).toContain("SOJOURN_OWNER_FROM_HEADER")
})

test("what every host has is there", () => {
  expect([createReloadableSessions, drainOnSignals].map((one) => typeof one)).toEqual([
    "function",
    "function",
  ])
})

test("L5: over HTTP/2 a client that leaves cancels, a complete answer aborts nothing, and a failure is no end", async () => {
  const sessions = counters()
  const app = fastify({ http2: true })
  const session = fromRequest(sessions, { owner: () => "alice" })
  const key = requestKey({ owner: () => "alice" })
  const signals: Array<AbortSignal> = []
  app.get("/run", async (request, reply) => {
    signals.push(key(request, reply).signal)
    return session(request, reply).run((counter) => ({ turns: ++counter.turns }))
  })
  app.get("/hang", (request, reply) =>
    session(request, reply).run((_counter, { signal }) => once(signal, "abort")),
  )
  app.get("/sse", (request, reply) =>
    sendSse(
      reply,
      session(request, reply).stream(async function* (_counter, { signal }) {
        yield 1
        await once(signal, "abort")
      }),
    ),
  )
  app.get("/body", (request, reply) =>
    sendStream(
      reply,
      session(request, reply).stream(async function* () {
        // Around empty chunks Node 24 sends bytes that nobody wrote.
        for (let n = 0; n < 200; n++) yield* ["", "ab", new Uint8Array(0)]
      }),
    ),
  )
  app.get("/fails", (request, reply) =>
    sendStream(
      reply,
      session(request, reply).stream(async function* () {
        yield "first"
        throw new Error("own")
      }),
    ),
  )
  app.setErrorHandler(sessionErrors())
  await app.listen({ host: "127.0.0.1", port: 0 })
  const client = connect(`http://127.0.0.1:${(app.server.address() as { port: number }).port}`)
  onTestFinished(async () => {
    client.destroy()
    await app.close()
  })
  const ask = (path: string): ClientHttp2Stream => client.request({ ":path": path }).setEncoding("utf8")
  const text = async (path: string): Promise<string> => {
    let all = ""
    for await (const chunk of ask(path)) all += String(chunk)
    return all
  }

  expect(await text("/run")).toBe('{"turns":1}')
  expect(await text("/run")).toBe('{"turns":2}')
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])

  const started = next(sessions, "TaskStarted")
  const hanging = next(sessions, "TaskEnded")
  const hang = ask("/hang")
  await started
  hang.close()
  expect((await hanging).outcome).toBe("cancelled")

  const streaming = next(sessions, "TaskEnded")
  const sse = ask("/sse")
  const [headers] = (await once(sse, "response")) as [{ readonly "content-type"?: string }]
  expect(headers["content-type"]).toBe("text/event-stream")
  await once(sse, "data")
  sse.close()
  expect((await streaming).outcome).toBe("cancelled")

  expect(await text("/body")).toBe("ab".repeat(200))
  await expect(text("/fails")).rejects.toMatchObject({ code: "ERR_HTTP2_STREAM_ERROR" })
  await atRest(sessions)
})

test("L5: who leaves before a stream has begun is no error, also where work may outlive its client", async () => {
  const sessions = counters()
  const app = fastify()
  const failed: Array<unknown> = []
  app.setErrorHandler((error) => void failed.push(error))
  const session = fromRequest(sessions, { owner: () => "alice" })
  app.register(async (inside) => {
    inside.setErrorHandler(sessionErrors())
    inside.get("/", (request, reply) =>
      sendSse(reply, session(request, reply, { onDisconnect: "continue" }).stream(numbers)),
    )
  })
  const url = await listen(app)
  const go = Promise.withResolvers<void>()
  const held = sessions.run({ owner: "alice" }, () => go.promise)
  const ended = next(sessions, "TaskEnded", ({ task }) => task.kind === "stream")
  const client = new RawClient(url, "/")
  await next(sessions, "TaskQueued")
  client.leave()
  expect((await ended).outcome).toBe("cancelled")
  go.resolve()
  await held
  expect(failed).toEqual([])
})
