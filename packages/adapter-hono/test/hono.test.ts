/** What is Hono's own: its middlewares, `onError`, `app.request`, HTTP/2 under `@hono/node-server`. */
import { allEvents, atRest, events, next, raw, RawClient, take } from "@sojourn/adapter-contract"
import { SessionRefused } from "@sojourn/core"
import { setupFindings } from "@sojourn/core/host"
import { Hono } from "hono"
import { compress } from "hono/compress"
import { HTTPException } from "hono/http-exception"
import { secureHeaders } from "hono/secure-headers"
import { once } from "node:events"
import { connect, type ClientHttp2Stream } from "node:http2"
import { expect, onTestFinished, test, vi } from "vitest"
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
const silenced = () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {})
  onTestFinished(() => error.mockRestore())
  return error
}

test("a stream's answer has the headers and the status that the application gave it, and goes through its middlewares", async () => {
  const sessions = counters()
  const app = new Hono()
  app.use(secureHeaders())
  app.use(async (c, go) => {
    c.header("x-early", "1")
    await go()
    c.res.headers.set("x-late", "2")
  })
  app.get("/sse", (c) => {
    c.status(201)
    return sendSse(c, sessions.stream("a", numbers))
  })
  app.get("/body", (c) => sendStream(c, sessions.stream("a", numbers)))
  const url = await listen(app)
  const sse = await fetch(`${url}/sse`)
  expect([sse.status, sse.headers.get("x-early"), sse.headers.get("x-late")]).toEqual([201, "1", "2"])
  expect(sse.headers.get("cache-control")).toBe("no-cache, no-transform")
  expect(sse.headers.get("x-content-type-options")).toBe("nosniff")
  expect((await allEvents(sse)).map((event) => event["data"])).toEqual(["1", "2", "3"])
  const body = await fetch(`${url}/body`)
  expect([body.headers.get("x-late"), await body.text()]).toEqual(["2", "1\n2\n3\n"])
})

test("L5: compression leaves streams as they are, and live; a client that leaves still cancels", async () => {
  const sessions = counters()
  const app = new Hono()
  app.use(compress({ threshold: 0 }))
  const endless = () =>
    sessions.stream("a", async function* (_counter, { signal }) {
      yield "x".repeat(4000)
      await once(signal, "abort")
    })
  app.get("/sse", (c) => sendSse(c, endless()))
  app.get("/body", (c) => sendStream(c, endless()))
  app.get("/text", (c) => c.text("x".repeat(4000)))
  const url = await listen(app)
  const headers = { "accept-encoding": "gzip" }
  expect((await raw(url, "/text", { headers })).headers["content-encoding"]).toBe("gzip")
  for (const path of ["/sse", "/body"]) {
    const ended = next(sessions, "TaskEnded")
    const client = new RawClient(url, path, { headers })
    const response = await client.response
    expect(response.headers["content-encoding"]).toBeUndefined()
    await once(response, "data")
    client.leave()
    expect((await ended).outcome).toBe("cancelled")
  }
})

test("L5: a body that a middleware replaces, or does not read, is left", async () => {
  const sessions = counters()
  const app = new Hono()
  app.use("/replaced", async (c, go) => {
    await go()
    c.res = new Response("instead")
  })
  app.use("/read", async (c, go) => {
    await go()
    c.res = new Response((await c.res.text()).toUpperCase(), c.res)
  })
  app.get("/replaced", (c) =>
    sendSse(
      c,
      sessions.stream("a", async function* (_counter, { signal }) {
        yield 1
        await once(signal, "abort")
      }),
    ),
  )
  app.get("/read", (c) =>
    sendStream(
      c,
      sessions.stream("a", async function* () {
        yield* ["a", "b"]
      }),
    ),
  )
  const url = await listen(app)
  expect(await (await fetch(`${url}/replaced`)).text()).toBe("instead")
  await atRest(sessions)
  expect(await (await fetch(`${url}/read`)).text()).toBe("AB")
  await atRest(sessions)
})

test("L17: headers of another body do not touch an answer of ours", async () => {
  const app = new Hono()
  app.onError(sessionErrors())
  app.get("/", (c) => {
    c.header("content-disposition", "attachment")
    c.header("content-length", "3")
    c.header("etag", '"1"')
    c.header("content-type", "text/csv")
    c.header("x-own", "1")
    return refuses()
  })
  const response = await fetch(await listen(app))
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "retry-after": "2",
    "x-own": "1",
  })
  expect([response.headers.get("etag"), response.headers.get("content-disposition")]).toEqual([null, null])
  expect(await response.json()).toMatchObject({ status: 409, error: { reason: "Busy" } })
})

test("L17: what is not ours is answered as Hono does, or otherwise; an application inside has its own", async () => {
  const log = silenced()
  const routes = (app: Hono): Hono =>
    app
      .get("/ours", refuses)
      .get("/own", () => Promise.reject(new Error("secret")))
      .get("/http", () => {
        throw new HTTPException(418, { res: new Response("tea", { headers: { "x-pot": "1" } }) })
      })
  const alone = routes(new Hono())
  alone.onError(sessionErrors())
  const own = await alone.request("/own")
  expect([own.status, await own.text()]).toEqual([500, "Internal Server Error"])
  expect(log).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: "secret" }))
  const http = await alone.request("/http")
  expect([http.status, await http.text(), http.headers.get("x-pot")]).toEqual([418, "tea", "1"])
  expect((await alone.request("/ours")).status).toBe(409)
  expect((await alone.request("/nowhere")).status).toBe(404)

  const inside = routes(new Hono())
  inside.onError(
    sessionErrors({
      otherwise: (error) => {
        throw error
      },
    }),
  )
  const around = new Hono().route("/inside", inside)
  around.onError((error, c) => c.text(`around: ${error.message}`, 500))
  expect(await (await around.request("/inside/own")).text()).toBe("around: secret")
  expect((await around.request("/inside/ours")).status).toBe(409)
  expect(log).toHaveBeenCalledTimes(1)
})

test("app.request, which tests use in place of a server, is answered like any other", async () => {
  const log = silenced()
  const sessions = counters()
  const app = new Hono()
  const session = fromRequest(sessions, { owner: (c) => c.req.header("authorization") })
  app.get("/run", async (c) => c.json(await session(c).run((counter) => ({ ...counter }))))
  app.get("/sse", (c) => sendSse(c, session(c).stream(numbers)))
  app.get("/resume", async (c) => sendSse(c, await session(c).resume()))
  app.get("/fails", (c) =>
    sendStream(
      c,
      session(c).stream(async function* () {
        yield 1
        throw new Error("own")
      }),
    ),
  )
  app.get("/visit", (c) => c.text(browserOwner({ secret: "a secret of the tests" })(c)))
  app.get("/hang", async (c) => c.json(await session(c).run((_counter, { signal }) => once(signal, "abort"))))
  app.onError(sessionErrors())
  const ask = async (path: string) => app.request(path, { headers: { authorization: "Bearer alice" } })
  expect(await (await ask("/run")).json()).toEqual({ turns: 0 })
  expect((await allEvents(await ask("/sse"))).map((event) => event["data"])).toEqual(["1", "2", "3"])
  expect((await ask("/resume")).status).toBe(204)
  expect((await app.request("/run")).status).toBe(401)
  expect(await (await ask("/visit")).text()).toMatch(/^[0-9a-f]{40}$/)
  await expect((await ask("/fails")).text()).rejects.toThrow("own")
  expect(log).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: "own" }))

  const stream = events(await ask("/sse"))
  await take(stream, 1)
  await stream.return(undefined)
  await atRest(sessions)

  const leaving = new AbortController()
  const ended = next(sessions, "TaskEnded")
  const started = next(sessions, "TaskStarted")
  const hanging = app.request("/hang", { headers: { authorization: "Bearer alice" }, signal: leaving.signal })
  await started
  leaving.abort(new Error("gone"))
  await hanging
  expect((await ended).outcome).toBe("cancelled")
})

test("a content type that the handler has named is kept", async () => {
  const sessions = counters()
  const app = new Hono()
  app.get("/", (c) => {
    c.header("Content-Type", "text/csv")
    return sendStream(c, sessions.stream("a", numbers))
  })
  app.get("/own", (c) => {
    c.header("Content-Type", "text/csv")
    return sendStream(c, sessions.stream("a", numbers), { headers: { "Content-Type": "text/x-own" } })
  })
  const url = await listen(app)
  expect((await fetch(url)).headers.get("content-type")).toBe("text/csv")
  expect((await fetch(`${url}/own`)).headers.get("content-type")).toBe("text/x-own")
})

test("the visitor's cookie stands beside what the answer has already, and asks for no second one", async () => {
  const sessions = counters()
  const app = new Hono()
  const owner = browserOwner({ secret: "a secret of the tests" })
  const session = fromRequest(sessions, { owner })
  app.use(async (c, go) => {
    c.header("cache-control", "no-store")
    c.header("vary", "Accept")
    c.header("set-cookie", "own=1", { append: true })
    owner(c)
    await go()
  })
  app.get("/", async (c) => c.json(await session(c).run(() => ({ owner: owner(c) }))))
  const { headers } = await fetch(await listen(app))
  expect(headers.get("vary")).toBe("Accept, Cookie")
  expect(headers.get("cache-control")).toBe("no-store")
  expect(headers.getSetCookie()).toEqual(["own=1", expect.stringMatching(/^sojourn=/)])
  expect(owner.counts()).toMatchObject({ made: 1, known: 0 })
})

test("L17: errors after the headers are told once, to the console unless somebody else wants them", async () => {
  const log = silenced()
  const sessions = counters()
  const told: Array<unknown> = []
  const onError = (error: unknown): void => {
    told.push(error)
    throw new Error("a log that fails")
  }
  const fails = () =>
    sessions.stream("a", async function* () {
      yield 1
      throw new Error("own")
    })
  const stops = () => sessions.stream("a", numbers, { silence: 10 })
  const app = new Hono()
  app.get("/sse", (c) => sendSse(c, fails()))
  app.get("/body", (c) => sendStream(c, fails()))
  app.get("/told/sse", (c) => sendSse(c, fails(), { onError }))
  app.get("/told/body", (c) => sendStream(c, fails(), { onError }))
  app.get("/ours", (c) => sendSse(c, stops(), { onError }))
  const url = await listen(app)
  for (const path of ["/sse", "/told/sse"]) await (await fetch(url + path)).text()
  for (const path of ["/body", "/told/body"])
    await expect(fetch(url + path).then((response) => response.text())).rejects.toThrow("terminated")
  await (await fetch(`${url}/ours`)).text()
  const own = expect.objectContaining({ message: "own" })
  expect(log.mock.calls).toEqual([[own], [own]])
  expect(told).toEqual([own, own])
})

test("what an application gets wrong is said when it starts", async () => {
  const sessions = counters()
  const wrong = (make: () => unknown): void =>
    expect(make).toThrow(expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }))
  wrong(() => fromRequest(sessions, {} as never))
  wrong(() => requestKey({ owner: () => "a", id: "a" } as never))
  wrong(() => browserOwner({ secret: "short" }))
  wrong(() => browserOwner({ secret: "a secret of the tests", client: "proxy" } as never))
  wrong(() => sessionErrors({ statuses: { Busy: 200 } }))
  wrong(() => sessionErrors({ otherwise: "somehow" } as never))
  wrong(() => sessionErrors({ other: 1 } as never))
  wrong(() => readiness({ sessions: [{}] as never }))
  const app = new Hono()
  app.get("/", (c) => sendSse(c, sessions.stream("a", numbers), { keepAlive: 10 }))
  app.get("/told", (c) => sendStream(c, sessions.stream("a", numbers), { onError: 1 as never }))
  app.onError(sessionErrors())
  for (const path of ["/", "/told"]) {
    expect(await (await app.request(path)).json()).toMatchObject({ error: { reason: "InvalidOption" } })
    await atRest(sessions)
  }
})

test("an owner who is taken from the request as it was sent is found", async () => {
  const app = new Hono()
  const session = fromRequest(counters(), { owner: (c) => c.req.header("x-user") })
  app.get("/", async (c) => c.json(await session(c).run(() => ({}))))
  for (const user of ["alice", "bob"]) await app.request("/", { headers: { "x-user": user } })
  expect(setupFindings().map(({ code }) => code)).toContain("SOJOURN_OWNER_FROM_HEADER")
})

test("what every host has is there", () => {
  expect([createReloadableSessions, drainOnSignals].map((one) => typeof one)).toEqual([
    "function",
    "function",
  ])
})

test("L5: over HTTP/2 a client that leaves cancels, a complete answer aborts nothing, and a failure is no end", async () => {
  silenced()
  const sessions = counters()
  const app = new Hono()
  const session = fromRequest(sessions, { owner: () => "alice" })
  const key = requestKey({ owner: () => "alice" })
  const signals: Array<AbortSignal> = []
  app.get("/run", async (c) => {
    signals.push(key(c).signal)
    return c.json(await session(c).run((counter) => ({ turns: ++counter.turns })))
  })
  app.get("/hang", async (c) => c.json(await session(c).run((_counter, { signal }) => once(signal, "abort"))))
  app.get("/sse", (c) =>
    sendSse(
      c,
      session(c).stream(async function* (_counter, { signal }) {
        yield 1
        await once(signal, "abort")
      }),
    ),
  )
  app.get("/body", (c) =>
    sendStream(
      c,
      session(c).stream(async function* () {
        // Around empty chunks Node 24 sends bytes that nobody wrote.
        for (let n = 0; n < 200; n++) yield* ["", "ab", new Uint8Array(0)]
      }),
    ),
  )
  app.get("/fails", (c) =>
    sendStream(
      c,
      session(c).stream(async function* () {
        yield "first"
        throw new Error("own")
      }),
    ),
  )
  app.onError(sessionErrors())
  const client = connect(await listen(app, "HTTP/2"))
  onTestFinished(() => client.destroy())
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
