import type { ErrorRequestHandler } from "express"
import { once } from "node:events"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test, vi } from "vitest"
import { fromRequest, route, sendSse, sessionErrors, type SendSseOptions } from "../src/index.ts"
import { allEvents, counters, events, listen, next, open, soon } from "./support.ts"
import { versions } from "./versions.ts"

const upTo = async function* (count: number, every = 0) {
  for (let n = 1; n <= count; n++) {
    if (every > 0) await sleep(every)
    yield { n }
  }
}

describe.each(versions)("$name: sendSse", ({ express }) => {
  test("L2: elements with ids, headers for every proxy, and a last event", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express().get(
      "/",
      route((req, res) =>
        sendSse(
          res,
          counter(req, res).stream(() => upTo(3)),
          { done: "[DONE]", retry: "2 seconds", headers: { "x-own": "1", "X-Accel-Buffering": "yes" } },
        ),
      ),
    )
    const response = await fetch(await listen(app))
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-own": "1",
      "x-accel-buffering": "yes",
    })
    const [first, ...all] = await allEvents(response)
    expect(first).toEqual({ retry: "2000" })
    expect(all.map((event) => event["data"])).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', "[DONE]"])
    expect(all.map((event) => /^\S+:(\d+)$/.exec(event["id"] ?? "")?.[1])).toEqual(["1", "2", "3", undefined])
  })

  test("text with line breaks of any kind stays one event, and forges none", async () => {
    const { sessions } = counters()
    const texts = ["a\nb", "a\r\nb", "a\rb", "a\n\nevent: error\ndata: x", "", "\ud800"]
    const app = express().get(
      "/",
      route((_req, res) =>
        sendSse(
          res,
          sessions.stream("a", async function* () {
            yield* texts
          }),
          { encode: (text) => text },
        ),
      ),
    )
    const all = await allEvents(await fetch(await listen(app)))
    expect(all.map((event) => event["data"])).toEqual([
      "a\nb",
      "a\nb",
      "a\nb",
      "a\n\nevent: error\ndata: x",
      "",
      "\ufffd",
    ])
    expect(all.some((event) => "event" in event)).toBe(false)
  })

  test("L9: headers wait for the turn: a refusal is still a status", async () => {
    const { sessions } = counters({ whenBusy: "reject" })
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express()
      .get(
        "/",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(() => upTo(1)),
          ),
        ),
      )
      .use(sessionErrors())
    const url = await listen(app)
    const go = Promise.withResolvers<void>()
    const held = sessions.run({ owner: "alice" }, () => go.promise)
    const response = await fetch(url)
    expect(response.status).toBe(409)
    expect(response.headers.get("content-type")).toBe("application/problem+json")
    expect(response.headers.get("x-accel-buffering")).toBe(null)
    go.resolve()
    await held
  })

  test("the headers of a stream that says nothing yet arrive", async () => {
    const { sessions } = counters()
    const go = Promise.withResolvers<void>()
    const app = express().get(
      "/",
      route((_req, res) =>
        sendSse(
          res,
          sessions.stream("a", async function* () {
            await go.promise
            yield 1
          }),
        ),
      ),
    )
    const response = await soon(fetch(await listen(app)), "the headers")
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    go.resolve()
    expect(await allEvents(response)).toHaveLength(1)
  })

  test("undefined is 204", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express().get(
      "/",
      route(async (req, res) => sendSse(res, await counter(req, res).resume())),
    )
    const response = await fetch(await listen(app))
    expect([response.status, await response.text()]).toEqual([204, ""])
    expect(response.headers.get("cache-control")).toBe("no-store")
  })

  test("L5: HEAD is told the headers, and runs no stream that nobody reads", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express().get(
      "/",
      route((req, res) =>
        sendSse(
          res,
          // Without an end, and as fast as it is taken.
          counter(req, res).stream(async function* () {
            for (;;) yield 1
          }),
        ),
      ),
    )
    const ended = next(sessions, "TaskEnded")
    const response = await soon(fetch(await listen(app), { method: "HEAD" }), "the answer to HEAD")
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"])
    expect((await soon(ended, "the turn's end")).outcome).toBe("cancelled")
  })

  test("L5: a client that goes away cancels the stream", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express().get(
      "/",
      route((req, res) =>
        sendSse(
          res,
          counter(req, res, req.query["bound"] === "no" ? { onDisconnect: "continue" } : {}).stream(() =>
            upTo(1e9, 1),
          ),
        ),
      ),
    )
    const url = await listen(app)
    // Also when the stream does not know of the request: nobody is left to read it.
    for (const query of ["", "?bound=no"]) {
      const ended = next(sessions, "TaskEnded")
      const leaving = new AbortController()
      const response = await fetch(url + query, { signal: leaving.signal })
      expect((await events(response).next()).value?.["data"]).toBe('{"n":1}')
      leaving.abort()
      expect((await ended).outcome).toBe("cancelled")
    }
  })

  test("L5: a client that goes away before its turn has begun leaves the line", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express()
      .get(
        "/",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res, { onDisconnect: "continue" }).stream(() => upTo(1)),
          ),
        ),
      )
      .use(sessionErrors())
    const url = await listen(app)
    const go = Promise.withResolvers<void>()
    const held = sessions.run({ owner: "alice" }, () => go.promise)
    const queued = next(sessions, "TaskQueued")
    const leaving = new AbortController()
    const left = fetch(url, { signal: leaving.signal })
    await queued
    const ended = next(sessions, "TaskEnded")
    leaving.abort()
    await expect(left).rejects.toThrow("aborted")
    expect((await soon(ended, "the turn leaves the line")).outcome).toBe("cancelled")
    go.resolve()
    await held
  })

  test("L5: a client that has gone before there is a stream reads none", async () => {
    const { sessions } = counters()
    const reached = Promise.withResolvers<void>()
    const over = Promise.withResolvers<unknown>()
    const app = express().get(
      "/",
      route(async (_req, res) => {
        reached.resolve()
        await once(res, "close")
        await sendSse(
          res,
          sessions.stream("a", () => upTo(1e9, 1)),
        ).then(over.resolve, over.reject)
      }),
    )
    const ended = next(sessions, "TaskEnded")
    const leaving = new AbortController()
    const left = fetch(await listen(app), { signal: leaving.signal })
    await reached.promise
    leaving.abort()
    await expect(left).rejects.toThrow("aborted")
    await soon(over.promise, "sendSse")
    expect((await soon(ended, "the turn's end")).outcome).toBe("cancelled")
  })

  test("L5: an answer that another has completed meanwhile is left alone, and so is the line", async () => {
    const { sessions } = counters()
    const over = Promise.withResolvers<unknown>()
    const app = express().get("/", (_req, res) => {
      sendSse(
        res,
        sessions.stream("a", () => upTo(1)),
      ).then(over.resolve, over.reject)
      res.status(503).send("too late")
    })
    const go = Promise.withResolvers<void>()
    const held = sessions.run("a", () => go.promise)
    const ended = next(sessions, "TaskEnded")
    const response = await fetch(await listen(app))
    expect([response.status, await response.text()]).toEqual([503, "too late"])
    await soon(over.promise, "sendSse")
    expect((await ended).outcome).toBe("cancelled")
    go.resolve()
    await held
  })

  const resumable = (every: number, count: number) => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express()
      .post(
        "/",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(() => upTo(count, every), { resumable: true }),
            { done: "end" },
          ),
        ),
      )
      .get(
        "/",
        route(async (req, res) => sendSse(res, await counter(req, res).resume(), { done: "end" })),
      )
      .use(sessionErrors())
    return { sessions, opened, app }
  }

  test("L5: a resumable stream survives its client; Last-Event-ID goes on behind what was seen", async () => {
    const { sessions, opened, app } = resumable(5, 60)
    const url = await listen(app)
    const ended = next(sessions, "TaskEnded")
    const leaving = new AbortController()
    const response = await fetch(url, { method: "POST", signal: leaving.signal })
    const seen: Array<Record<string, string>> = []
    try {
      for await (const event of events(response)) {
        seen.push(event)
        if (seen.length === 3) leaving.abort()
      }
    } catch {
      // The connection is lost.
    }
    const last = seen.at(-1)?.["id"] ?? ""
    expect(last).toMatch(/^\S+:\d+$/)
    const again = await fetch(url, { headers: { "last-event-id": last } })
    const rest = await allEvents(again)
    const numbers = [...seen, ...rest].map((event) => event["data"])
    expect(numbers).toEqual([...Array.from({ length: 60 }, (_, n) => `{"n":${n + 1}}`), "end"])
    expect((await ended).outcome).toBe("succeeded")
    expect(opened).toHaveLength(1)
    // Ended, and nothing asked for: nothing runs.
    expect((await fetch(url)).status).toBe(204)
  })

  test("a browser that comes back after a newer stream began is given its own, or nothing", async () => {
    const { app } = resumable(0, 4)
    const url = await listen(app)
    const first = await allEvents(await fetch(url, { method: "POST" }))
    await allEvents(await fetch(url, { method: "POST" }))
    const rest = await allEvents(await fetch(url, { headers: { "last-event-id": first[1]?.["id"] ?? "" } }))
    expect(rest.map((event) => event["id"])).toEqual([first[2]?.["id"], first[3]?.["id"], undefined])
    expect((await fetch(url, { headers: { "last-event-id": "unknown:2" } })).status).toBe(204)
  })

  test("L17: a browser that comes back for what is no longer kept is told 410", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const go = Promise.withResolvers<void>()
    const app = express()
      .post(
        "/",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(
              async function* () {
                yield { n: 0 }
                await go.promise
                yield* upTo(9)
              },
              { resumable: { items: 2 } },
            ),
          ),
        ),
      )
      .get(
        "/",
        route(async (req, res) => sendSse(res, await counter(req, res).resume(), { done: "end" })),
      )
      .use(sessionErrors())
    const url = await listen(app)
    const ended = next(sessions, "TaskEnded")
    const leaving = new AbortController()
    const response = await fetch(url, { method: "POST", signal: leaving.signal })
    const first = (await events(response).next()).value?.["id"] ?? ""
    leaving.abort()
    go.resolve()
    await ended
    const gone = await fetch(url, { headers: { "last-event-id": first } })
    expect(gone.status).toBe(410)
    expect(await gone.json()).toMatchObject({
      type: "urn:problem-type:sojourn:replay-gap",
      error: { tag: "SessionRefused", reason: "ReplayGap" },
    })
    const rest = await fetch(url, { headers: { "last-event-id": first.replace(/:1$/, ":9") } })
    expect((await allEvents(rest)).map((event) => event["data"])).toEqual(['{"n":9}', "end"])
  })

  test("L5, L17: an error after the headers is an event without stack or key", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "secret-owner" })
    const passedOn: Array<unknown> = []
    const own = new Error("secret message")
    const app = express()
      .get(
        "/own",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(async function* () {
              yield 1
              throw own
            }),
          ),
        ),
      )
      .get(
        "/ours",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(
              async function* (_c, { signal }) {
                yield 1
                await sleep(60_000, undefined, { signal })
              },
              { timeout: 100 },
            ),
          ),
        ),
      )
      .get(
        "/encode",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(async function* () {
              yield 1n
            }),
          ),
        ),
      )
      .use(sessionErrors())
      .use(((error, _req, _res, _next) => void passedOn.push(error)) satisfies ErrorRequestHandler)
    const url = await listen(app)
    const ask = async (path: string) => {
      const all = await allEvents(await fetch(url + path))
      expect(JSON.stringify(all)).not.toContain("secret")
      const { event, data } = all.at(-1) ?? {}
      return [event, JSON.parse(data ?? "null") as unknown]
    }
    expect(await ask("/own")).toEqual(["error", { error: { tag: "Error", reason: "Failed" } }])
    expect(await ask("/ours")).toEqual(["error", { error: { tag: "TaskStopped", reason: "Timeout" } }])
    expect(await ask("/encode")).toEqual(["error", { error: { tag: "Error", reason: "Failed" } }])
    // Ours are events of the registry; what the application threw is for its own log.
    await vi.waitFor(() => expect(passedOn).toEqual([own, expect.any(TypeError)]))
  })

  test.for<readonly [string, SendSseOptions<unknown>]>([
    ["a misspelt option", { keepalive: 1 } as never],
    ["a header that cannot be sent", { headers: { "x-own": "a\nb" } }],
  ])("L17, L5: %s is an InvalidOption, and no turn runs on for it", async ([, options]) => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express()
      .get(
        "/",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(() => upTo(1e9, 1)),
            options,
          ),
        ),
      )
      .use(sessionErrors())
    const ended = next(sessions, "TaskEnded")
    const response = await fetch(await listen(app))
    expect([response.status, await response.json()]).toMatchObject([
      500,
      { error: { reason: "InvalidOption" } },
    ])
    expect((await soon(ended, "the turn's end")).outcome).toBe("cancelled")
  })

  test("L5: an answer that has begun already cannot become a stream, and no turn runs on for it", async () => {
    const { sessions } = counters()
    const failed = Promise.withResolvers<unknown>()
    const app = express().get("/", (_req, res) => {
      res.write("begun")
      sendSse(
        res,
        sessions.stream("a", () => upTo(1e9, 1)),
      ).catch((error: unknown) => {
        failed.resolve(error)
        res.end()
      })
    })
    const ended = next(sessions, "TaskEnded")
    expect(await (await fetch(await listen(app))).text()).toBe("begun")
    expect(await failed.promise).toMatchObject({ code: "ERR_HTTP_HEADERS_SENT" })
    expect((await soon(ended, "the turn's end")).outcome).toBe("cancelled")
  })

  test("a stream that says nothing sends comments, and stops doing so at its end", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    try {
      const { sessions } = counters()
      const go = Promise.withResolvers<void>()
      const app = express().get(
        "/",
        route((_req, res) =>
          sendSse(
            res,
            sessions.stream("a", async function* () {
              await go.promise
              yield 1
            }),
          ),
        ),
      )
      const all = events(await open(await listen(app)))
      for (let comment = 1; comment <= 3; comment++) {
        const come = all.next()
        await vi.advanceTimersByTimeAsync(15_000)
        expect((await come).value).toEqual({ "": "keep-alive" })
      }
      go.resolve()
      expect((await all.next()).value?.["data"]).toBe("1")
      expect((await all.next()).done).toBe(true)
      await sessions.drain()
      // The registry's own look at the event loop comes once more.
      await vi.advanceTimersByTimeAsync(1000)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test("L5: a slow client sets the pace", async () => {
    const { sessions } = counters()
    let made = 0
    const app = express().get(
      "/",
      route((_req, res) =>
        sendSse(
          res,
          sessions.stream("a", async function* () {
            const block = "x".repeat(256 * 1024)
            for (; made < 400; made++) yield block
          }),
        ),
      ),
    )
    const url = await listen(app)
    const client = httpRequest(url).end()
    const [response] = (await once(client, "response")) as [IncomingMessage]
    response.pause()
    await vi.waitFor(async () => {
      const before = made
      await sleep(100)
      expect(made).toBe(before)
    })
    // A hundred megabytes are to come; what the kernel and the socket hold is a few.
    expect(made).toBeGreaterThan(0)
    expect(made).toBeLessThan(200)
    client.destroy()
    await vi.waitFor(() => expect(sessions.explain("a").alive).toEqual([]))
  })

  test.for([["finish"], ["end"]] as const)(
    'L14: with onDrain "%s" a stream is told of the drain, and goes on or ends',
    async ([onDrain]) => {
      const { sessions } = counters()
      const counter = fromRequest(sessions, { owner: () => "alice" })
      const go = Promise.withResolvers<void>()
      const app = express()
        .get(
          "/",
          route((req, res) =>
            sendSse(
              res,
              counter(req, res).stream(async function* (_counter, { draining }) {
                yield draining.aborted
                await go.promise
                yield draining.aborted
              }),
              { onDrain, done: "end" },
            ),
          ),
        )
        .use(sessionErrors())
      const all = events(await fetch(await listen(app)))
      expect((await all.next()).value?.["data"]).toBe("false")
      const drained = sessions.drain({ finishWithin: "5 seconds" })
      if (onDrain === "finish") {
        expect((await soon(all.next(), "the comment")).value).toEqual({ "": "draining" })
        go.resolve()
        expect((await all.next()).value?.["data"]).toBe("true")
        expect((await all.next()).value?.["data"]).toBe("end")
      }
      // Ended, and not broken off: a browser comes back by itself.
      expect((await soon(all.next(), "the end")).done).toBe(true)
      go.resolve()
      expect(await drained).toMatchObject({ cut: [] })
    },
  )
})
