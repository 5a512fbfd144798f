import express, { type ErrorRequestHandler } from "express"
import { once } from "node:events"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test, vi } from "vitest"
import { fromRequest, sendSse, sessionErrors } from "../src/index.ts"
import { allEvents, counters, events, listen, next } from "./support.ts"

const upTo = async function* (count: number, every = 0) {
  for (let n = 1; n <= count; n++) {
    if (every > 0) await sleep(every)
    yield { n }
  }
}

test("L2: elements with ids, headers for every proxy, and a last event", async () => {
  const { sessions } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice" })
  const app = express().get("/", (req, res) =>
    sendSse(
      res,
      counter(req, res).stream(() => upTo(3)),
      { done: "[DONE]", headers: { "x-own": "1", "x-accel-buffering": "yes" } },
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
  const all = await allEvents(response)
  expect(all.map((event) => event["data"])).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', "[DONE]"])
  expect(all.map((event) => /^\S+:(\d+)$/.exec(event["id"] ?? "")?.[1])).toEqual(["1", "2", "3", undefined])
})

test("text with line breaks of any kind stays one event, and forges none", async () => {
  const { sessions } = counters()
  const texts = ["a\nb", "a\r\nb", "a\rb", "a\n\nevent: error\ndata: x", "", "\ud800"]
  const app = express().get("/", (_req, res) =>
    sendSse(
      res,
      sessions.stream("a", async function* () {
        yield* texts
      }),
      { encode: (text) => text },
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
    .get("/", (req, res) =>
      sendSse(
        res,
        counter(req, res).stream(() => upTo(1)),
      ),
    )
    .use(sessionErrors())
  const url = await listen(app)
  const go = Promise.withResolvers<void>()
  const held = sessions.run({ owner: "alice" }, () => go.promise)
  const response = await fetch(url)
  expect(response.status).toBe(409)
  expect(response.headers.get("content-type")).toContain("application/json")
  go.resolve()
  await held
})

test("undefined is 204", async () => {
  const { sessions } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice" })
  const app = express().get("/", async (req, res) => sendSse(res, await counter(req, res).resume()))
  const response = await fetch(await listen(app))
  expect([response.status, await response.text()]).toEqual([204, ""])
})

test("L5: a client that goes away cancels the stream", async () => {
  const { sessions } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice" })
  const app = express().get("/", (req, res) =>
    sendSse(
      res,
      counter(req, res, req.query["bound"] === "no" ? { onDisconnect: "continue" } : {}).stream(() =>
        upTo(1e9, 1),
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

const resumable = (every: number, count: number) => {
  const { sessions, opened } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice" })
  const app = express()
    .post("/", (req, res) =>
      sendSse(
        res,
        counter(req, res).stream(() => upTo(count, every), { resumable: true }),
        { done: "end" },
      ),
    )
    .get("/", async (req, res) => sendSse(res, await counter(req, res).resume(), { done: "end" }))
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
  await sleep(30)
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
  const { sessions, app } = resumable(0, 4)
  const url = await listen(app)
  const first = await allEvents(await fetch(url, { method: "POST" }))
  await allEvents(await fetch(url, { method: "POST" }))
  const rest = await allEvents(await fetch(url, { headers: { "last-event-id": first[1]?.["id"] ?? "" } }))
  expect(rest.map((event) => event["id"])).toEqual([first[2]?.["id"], first[3]?.["id"], undefined])
  expect((await fetch(url, { headers: { "last-event-id": "unknown:2" } })).status).toBe(204)
  await sessions.close({ owner: "alice" })
})

test("L5, L17: an error after the headers is an event without stack or key", async () => {
  const { sessions } = counters()
  const counter = fromRequest(sessions, { owner: () => "secret-owner" })
  const passedOn: Array<unknown> = []
  const own = new Error("secret message")
  const app = express()
    .get("/own", (req, res) =>
      sendSse(
        res,
        counter(req, res).stream(async function* () {
          yield 1
          throw own
        }),
      ),
    )
    .get("/ours", (req, res) =>
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
    )
    .get("/encode", (req, res) =>
      sendSse(
        res,
        counter(req, res).stream(async function* () {
          yield 1n
        }),
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

test("a stream that says nothing sends comments, and stops doing so at its end", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
  try {
    const { sessions } = counters()
    const go = Promise.withResolvers<void>()
    const app = express().get("/", (_req, res) =>
      sendSse(
        res,
        sessions.stream("a", async function* () {
          await go.promise
          yield 1
        }),
      ),
    )
    const response = await fetch(await listen(app))
    const text = response.text()
    vi.advanceTimersByTime(31_000)
    await sleep(20)
    go.resolve()
    expect((await text).match(/^: keep-alive$/gm)).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test("L5: a slow client sets the pace", async () => {
  const { sessions } = counters()
  let made = 0
  const app = express().get("/", (_req, res) =>
    sendSse(
      res,
      sessions.stream("a", async function* () {
        const block = "x".repeat(256 * 1024)
        for (; made < 400; made++) yield block
      }),
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
