import { SessionMisuse, type SessionKey } from "@sojourn/core"
import express from "express"
import { EventEmitter } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { browserOwner, fromRequest, requestKey, sessionErrors } from "../src/index.ts"
import { Browser, counters, listen, next, raw } from "./support.ts"

const secret = "a secret of the tests"

test("L1, L2: opened once per browser, also by requests at the same time, and reused", async () => {
  const { sessions, opened } = counters()
  const counter = fromRequest(sessions, { owner: browserOwner({ secret }) })
  const app = express().get(
    "/",
    async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns)),
  )
  const url = await listen(app)
  const visitor = new Browser()
  expect(await (await visitor.visit(url)).json()).toBe(1)
  const answers = await Promise.all(Array.from({ length: 5 }, async () => (await visitor.visit(url)).json()))
  expect(new Set(answers)).toEqual(new Set([2, 3, 4, 5, 6]))
  expect(opened).toHaveLength(1)
})

test("L19: two browsers are two owners", async () => {
  const { sessions, opened } = counters()
  const counter = fromRequest(sessions, { owner: browserOwner({ secret }), id: () => "same" })
  const app = express().get(
    "/",
    async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns)),
  )
  const url = await listen(app)
  const [one, other] = [new Browser(), new Browser()]
  expect(await (await one.visit(url)).json()).toBe(1)
  expect(await (await other.visit(url)).json()).toBe(1)
  expect(await (await one.visit(url)).json()).toBe(2)
  expect(new Set(opened).size).toBe(2)
})

test("L5: a client that goes away cancels its turn; the session stays", async () => {
  const { sessions, opened } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice" })
  const passedOn: Array<unknown> = []
  const app = express()
    .get("/slow", async (req, res) => {
      const text = await counter(req, res).run((_c, { signal }) => sleep(60_000, "late", { signal }))
      res.send(text)
    })
    .get("/quick", async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns)))
    .use(sessionErrors())
    .use(((error, _req, res, _next) => {
      passedOn.push(error)
      res.status(500).end()
    }) satisfies express.ErrorRequestHandler)
  const url = await listen(app)
  const started = next(sessions, "TaskStarted")
  const ended = next(sessions, "TaskEnded")
  const leaving = new AbortController()
  const left = fetch(`${url}/slow`, { signal: leaving.signal })
  await started
  leaving.abort()
  await expect(left).rejects.toThrow("aborted")
  expect((await ended).outcome).toBe("cancelled")
  expect(await (await fetch(`${url}/quick`)).json()).toBe(1)
  expect(opened).toEqual(["alice~"])
  expect(passedOn).toEqual([])
})

test('L5: with onDisconnect "continue" the turn goes on', async () => {
  const { sessions } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice" })
  const go = Promise.withResolvers<void>()
  const app = express().get("/", async (req, res) => {
    await counter(req, res, { onDisconnect: "continue" }).run(() => go.promise)
    res.end()
  })
  const url = await listen(app)
  const started = next(sessions, "TaskStarted")
  const ended = next(sessions, "TaskEnded")
  const leaving = new AbortController()
  const left = fetch(url, { signal: leaving.signal })
  await started
  leaving.abort()
  await expect(left).rejects.toThrow("aborted")
  await sleep(50)
  go.resolve()
  expect((await ended).outcome).toBe("succeeded")
})

test("an answer that is complete aborts nothing, and handles of one response share one listener", async () => {
  const { sessions } = counters()
  const from = { owner: () => "alice" }
  const counter = fromRequest(sessions, from)
  const signals: Array<AbortSignal> = []
  let listeners: ReadonlyArray<number> = []
  const app = express().get("/", async (req, res) => {
    const before = res.listenerCount("close")
    for (let time = 0; time < 20; time++) counter(req, res)
    const { signal, key } = requestKey(from)(req, res)
    signals.push(signal)
    listeners = [before, res.listenerCount("close")]
    res.json(key)
  })
  const url = await listen(app)
  expect(await (await fetch(url)).json()).toEqual({ owner: "alice" })
  await sleep(20)
  expect(signals.map((signal) => signal.aborted)).toEqual([false])
  expect(listeners[1]).toBe((listeners[0] ?? 0) + 1)
})

test("a client that has left already has an aborted signal, and nothing opens", async () => {
  const { sessions, opened } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice" })
  const outcome = Promise.withResolvers<unknown>()
  const app = express().get("/", async (req, res) => {
    await new Promise((resolve) => res.once("close", resolve))
    await counter(req, res)
      .run((c) => c.turns)
      .then(outcome.resolve, outcome.resolve)
  })
  const url = await listen(app)
  await expect(fetch(url, { signal: AbortSignal.timeout(100) })).rejects.toThrow("timeout")
  expect(await outcome.promise).toMatchObject({ name: "AbortError" })
  expect(opened).toEqual([])
})

test("without owner 401, without id 400: thrown as InvalidKey, answered by sessionErrors, and by Express alone", async () => {
  const { sessions, opened } = counters()
  const counter = fromRequest(sessions, {
    owner: (req) => req.get("x-user"),
    id: (req) => req.query["id"] as string | undefined,
  })
  const caught: Array<unknown> = []
  const app = express()
    .get("/", (req, res) => {
      try {
        res.json(counter(req, res).key)
      } catch (error) {
        caught.push(error)
        throw error
      }
    })
    .use(sessionErrors())
  const url = await listen(app)
  const user = { headers: { "x-user": "alice" } }
  const body = { error: { tag: "SessionMisuse", reason: "InvalidKey" } }
  const answers = [
    [await fetch(`${url}/?id=1`), 401],
    [await fetch(`${url}/?id=1`, { headers: { "x-user": "" } }), 401],
    [await fetch(url, user), 400],
    [await fetch(`${url}/?id=`, user), 400],
    [await fetch(`${url}/?id=${"x".repeat(600)}`, user), 400],
  ] as const
  for (const [response, status] of answers) {
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual(body)
  }
  expect(caught.every((error) => error instanceof SessionMisuse)).toBe(true)
  expect(await (await fetch(`${url}/?id=7`, user)).json()).toEqual({ owner: "alice", id: "7" })
  expect(opened).toEqual([])
})

test("hostile ids neither break nor merge, and reach no other owner", async () => {
  const { sessions, opened } = counters()
  const counter = fromRequest(sessions, { owner: (req) => req.body.owner, id: (req) => req.body.id })
  const app = express()
    .use(express.json())
    .post("/", async (req, res) => {
      const answer = await counter(req, res).run((c) => ({ id: c.id, turns: ++c.turns }))
      res.json(answer)
    })
    .use(sessionErrors())
  const url = await listen(app)
  const ask = (owner: string, id: unknown) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ owner, id }),
    })
  const ids = [
    "__proto__",
    "constructor",
    "toString",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udfff",
    "\ud800\ud800",
    "\ufffd",
    "a/b",
    "a~b",
    "a:b",
    "../../etc/passwd",
    "..",
    ".",
    "con",
    "A",
    "a",
    "é",
    "e\u0301",
    "%2F",
    "a\r\nset-cookie: x=y",
    "<script>alert(1)</script>",
    "x".repeat(500),
  ]
  for (const owner of ["alice", "alice~", "a"]) {
    for (const id of ids) {
      const response = await ask(owner, id)
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ turns: 1 })
    }
  }
  expect(new Set(opened).size).toBe(3 * ids.length)
  expect(opened.every((key) => /^[a-z0-9_=~.-]+$/.test(key) && !key.startsWith("."))).toBe(true)
  for (const id of [{ owner: "bob" }, 7, null, [], [["x"]], "x".repeat(512)])
    expect((await ask("alice", id)).status).toBe(400)
  expect(opened).toHaveLength(3 * ids.length)
})

test("the parts of a wildcard make one id, whatever is inside them", async () => {
  const { sessions } = counters()
  const counter = fromRequest(sessions, { owner: () => "alice", id: (req) => req.params["path"] })
  const seen: Array<SessionKey> = []
  const app = express().get("/files/*path", (req, res) => {
    seen.push(counter(req, res).key)
    res.end()
  })
  const url = await listen(app)
  for (const path of ["/files/a", "/files/a/b", "/files/a%2Fb", "/files/a~1b", "/files/a%7E1/b"])
    await raw(url, path)
  const ids = seen.map((key) => (typeof key === "object" && "id" in key ? key.id : undefined))
  expect(ids.slice(0, 2)).toEqual(["a", "a/b"])
  expect(ids[3]).toBe("a~1b")
  expect(ids[4]).toBe("a~01/b")
})

test("Last-Event-ID is taken when it is one, and ignored when it is not", () => {
  const of = fromRequest(
    { at: (_key, defaults) => ({ after: defaults?.after, stream: defaults?.stream }) },
    { owner: () => "alice" },
  )
  const ask = (header: string | undefined): unknown => {
    const res = Object.assign(new EventEmitter(), { closed: false, writableFinished: false })
    return of({ get: () => header } as never, res as never)
  }
  expect(ask(undefined)).toEqual({})
  expect(ask("37")).toEqual({ after: 37 })
  expect(ask("0")).toEqual({ after: 0 })
  expect(ask("t12:37")).toEqual({ after: 37, stream: "t12" })
  for (const none of [
    "",
    "-1",
    "1.5",
    "1e3",
    " 1",
    "0x10",
    "9".repeat(16),
    "NaN",
    ":5",
    "a:",
    "a b:1",
    "ü:1",
    "a:1\u0000",
  ]) {
    expect(ask(none)).toEqual({})
  }
})
