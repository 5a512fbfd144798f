import { SessionMisuse, type SessionKey } from "@sojourn/core"
import type { ErrorRequestHandler, Request, Response as Answer } from "express"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { browserOwner, fromRequest, requestKey, route, sessionErrors } from "../src/index.ts"
import { Browser, connection, counters, listen, next, raw, soon } from "./support.ts"
import { versions } from "./versions.ts"

const secret = "a secret of the tests"

describe.each(versions)("$name: fromRequest", ({ express, name }) => {
  test("L1, L2: opened once per browser, also by requests at the same time, and reused", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: browserOwner({ secret }) })
    const app = express().get(
      "/",
      route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
    )
    const url = await listen(app)
    const visitor = new Browser()
    expect(await (await visitor.visit(url)).json()).toBe(1)
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => (await visitor.visit(url)).json()),
    )
    expect(new Set(answers)).toEqual(new Set([2, 3, 4, 5, 6]))
    expect(opened).toHaveLength(1)
  })

  test("L19: two browsers are two owners", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: browserOwner({ secret }), id: () => "same" })
    const app = express().get(
      "/",
      route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
    )
    const url = await listen(app)
    const [one, other] = [new Browser(), new Browser()]
    expect(await (await one.visit(url)).json()).toBe(1)
    expect(await (await other.visit(url)).json()).toBe(1)
    expect(await (await one.visit(url)).json()).toBe(2)
    expect(new Set(opened).size).toBe(2)
  })

  test("L1: the same session at the root, under a mount path, in a router and in a mounted application", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice", id: (req) => req.params["id"] })
    const handler = route(async (req: Request, res: Answer) => {
      res.json(await counter(req, res).run((c) => ++c.turns))
    })
    const app = express()
      .get("/root/:id", handler)
      .use("/router/:room", express.Router().get("/:id", handler))
      .use("/app", express().use("/deep", express().get("/:id", handler)))
      .use(sessionErrors())
    const url = await listen(app)
    const answers: Array<unknown> = []
    for (const path of ["/root/7", "/router/9/7", "/app/deep/7?x=1"])
      answers.push(await (await fetch(url + path)).json())
    expect(answers).toEqual([1, 2, 3])
    expect(opened).toHaveLength(1)
  })

  test("several registries in one application do not meet", async () => {
    const [one, other] = [counters(), counters()]
    const from = { owner: () => "alice" }
    const [first, second] = [fromRequest(one.sessions, from), fromRequest(other.sessions, from)]
    const app = express().get(
      "/",
      route(async (req, res) => {
        await first(req, res).run((c) => ++c.turns)
        res.json([await first(req, res).run((c) => ++c.turns), await second(req, res).run((c) => ++c.turns)])
      }),
    )
    expect(await (await fetch(await listen(app))).json()).toEqual([2, 1])
  })

  test("L5: a client that goes away cancels its turn; the session stays", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const passedOn: Array<unknown> = []
    const app = express()
      .get(
        "/slow",
        route(async (req, res) => {
          const text = await counter(req, res).run((_c, { signal }) => sleep(60_000, "late", { signal }))
          res.send(text)
        }),
      )
      .get(
        "/quick",
        route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
      )
      .use(sessionErrors())
      .use(((error, _req, res, _next) => {
        passedOn.push(error)
        res.status(500).end()
      }) satisfies ErrorRequestHandler)
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
    const closed = Promise.withResolvers<void>()
    const app = express().get(
      "/",
      route(async (req, res) => {
        res.once("close", closed.resolve)
        await counter(req, res, { onDisconnect: "continue" }).run(() => go.promise)
        res.end()
      }),
    )
    const url = await listen(app)
    const started = next(sessions, "TaskStarted")
    const ended = next(sessions, "TaskEnded")
    const leaving = new AbortController()
    const left = fetch(url, { signal: leaving.signal })
    await started
    leaving.abort()
    await expect(left).rejects.toThrow("aborted")
    await closed.promise
    go.resolve()
    expect((await ended).outcome).toBe("succeeded")
  })

  test("L5: whoever has more than one request on a connection and leaves, leaves each of them", async () => {
    const { sessions } = counters({ concurrency: 2 })
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express().get(
      "/",
      route(async (req, res) => {
        res.json(await counter(req, res).run((_c, { signal }) => sleep(60_000, 1, { signal })))
      }),
    )
    const socket = await connection(await listen(app))
    const outcomes: Array<string> = []
    const all = Promise.withResolvers<void>()
    let running = 0
    sessions.subscribe((event) => {
      if (event._tag === "TaskStarted" && ++running === 2) socket.destroy()
      if (event._tag === "TaskEnded" && outcomes.push(event.outcome) === 2) all.resolve()
    })
    // The second answer waits behind the first one, and has no connection of its own yet.
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2))
    await soon(all.promise, "both turns end")
    expect(outcomes).toEqual(["cancelled", "cancelled"])
  })

  test("an answer that is complete aborts nothing, and handles of one response share one listener", async () => {
    const { sessions } = counters()
    const from = { owner: () => "alice" }
    const counter = fromRequest(sessions, from)
    const parts = requestKey(from)
    const signals: Array<AbortSignal> = []
    let listeners: ReadonlyArray<number> = []
    const closed = Promise.withResolvers<void>()
    const app = express().get("/", (req, res) => {
      const before = res.listenerCount("close")
      for (let time = 0; time < 20; time++) counter(req, res)
      const { signal, key } = parts(req, res)
      signals.push(signal)
      listeners = [before, res.listenerCount("close")]
      // After ours, so that ours has been told by then.
      res.once("close", () => closed.resolve())
      res.json(key)
    })
    const url = await listen(app)
    expect(await (await fetch(url)).json()).toEqual({ owner: "alice" })
    await closed.promise
    expect(signals.map((signal) => signal.aborted)).toEqual([false])
    expect(listeners[1]).toBe((listeners[0] ?? 0) + 1)
  })

  test("L5: requestKey tells of a client that goes away", async () => {
    const parts = requestKey({ owner: () => "alice", id: () => "1" })
    const aborted = Promise.withResolvers<unknown>()
    const reached = Promise.withResolvers<void>()
    const app = express().get("/", (req, res) => {
      const { signal, key } = parts(req, res)
      signal.addEventListener("abort", () => aborted.resolve([key, signal.reason]))
      reached.resolve()
    })
    const leaving = new AbortController()
    const left = fetch(await listen(app), { signal: leaving.signal })
    await reached.promise
    leaving.abort()
    await expect(left).rejects.toThrow("aborted")
    expect(await soon(aborted.promise, "the signal")).toEqual([
      { owner: "alice", id: "1" },
      expect.objectContaining({ name: "AbortError" }),
    ])
  })

  test("a client that has left already has an aborted signal, and nothing opens", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const outcome = Promise.withResolvers<unknown>()
    const reached = Promise.withResolvers<void>()
    const app = express().get(
      "/",
      route(async (req, res) => {
        reached.resolve()
        await new Promise((resolve) => res.once("close", resolve))
        await counter(req, res)
          .run((c) => c.turns)
          .then(outcome.resolve, outcome.resolve)
      }),
    )
    const leaving = new AbortController()
    const left = fetch(await listen(app), { signal: leaving.signal })
    await reached.promise
    leaving.abort()
    await expect(left).rejects.toThrow("aborted")
    expect(await outcome.promise).toMatchObject({ name: "AbortError" })
    expect(opened).toEqual([])
  })

  test.for(["fromRequest", "requestKey"] as const)(
    "%s: without owner 401, without id 400: thrown as InvalidKey, answered by sessionErrors, and by Express alone",
    async (which) => {
      const { sessions, opened } = counters()
      const from = {
        owner: (req: Request) => req.get("x-user"),
        id: (req: Request) => req.query["id"] as string | undefined,
      }
      const keyOf = which === "fromRequest" ? fromRequest({ at: (key) => ({ key }) }, from) : requestKey(from)
      const caught: Array<unknown> = []
      const handler = route((req: Request, res: Answer) => {
        try {
          res.json(keyOf(req, res).key)
        } catch (error) {
          caught.push(error)
          throw error
        }
      })
      const ours = await listen(express().get("/", handler).use(sessionErrors()))
      const alone = await listen(express().set("env", "test").get("/", handler))
      const user = { headers: { "x-user": "alice" } }
      const cases = [
        ["/?id=1", {}, 401],
        ["/?id=1", { headers: { "x-user": "" } }, 401],
        ["/", user, 400],
        ["/?id=", user, 400],
        ["/?id[a]=1", user, 400],
        [`/?id=${"x".repeat(600)}`, user, 400],
      ] as const
      for (const [path, init, status] of cases) {
        const response = await fetch(ours + path, init)
        expect([path, response.status]).toEqual([path, status])
        expect(response.headers.get("content-type")).toBe("application/problem+json")
        expect(await response.json()).toEqual({
          type: "urn:problem-type:sojourn:invalid-key",
          title: expect.any(String) as string,
          status,
          error: { tag: "SessionMisuse", reason: "InvalidKey" },
        })
        expect([path, (await fetch(alone + path, init)).status]).toEqual([path, status])
      }
      expect(caught).toHaveLength(cases.length * 2)
      expect(caught.every((error) => error instanceof SessionMisuse)).toBe(true)
      expect(await (await fetch(`${ours}/?id=7`, user)).json()).toEqual({ owner: "alice", id: "7" })
      expect(opened).toEqual([])
      await sessions.drain()
    },
  )

  test("hostile ids neither break nor merge, and reach no other owner", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: (req) => req.body.owner, id: (req) => req.body.id })
    const app = express()
      .use(express.json())
      .post(
        "/",
        route(async (req, res) => {
          const answer = await counter(req, res).run((c) => ({ id: c.id, turns: ++c.turns }))
          res.json(answer)
        }),
      )
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
    // Express 5 gives a wildcard's parts, Express 4 its text, in which a slash is a slash.
    const [path, wildcard] = name === "Express 5" ? ["/files/*path", "path"] : ["/files/*", "0"]
    const counter = fromRequest(sessions, { owner: () => "alice", id: (req) => req.params[wildcard] })
    const seen: Array<SessionKey> = []
    const app = express().get(path, (req, res) => {
      seen.push(counter(req, res).key)
      res.end()
    })
    const url = await listen(app)
    for (const asked of ["/files/a", "/files/a/b", "/files/a%2Fb", "/files/a~1b", "/files/a%7E1/b"])
      await raw(url, asked)
    const ids = seen.map((key) => (typeof key === "object" && "id" in key ? key.id : undefined))
    expect(ids).toEqual(
      name === "Express 5" ? ["a", "a/b", "a~1b", "a~01b", "a~01/b"] : ["a", "a/b", "a/b", "a~1b", "a~1/b"],
    )
  })

  test("Last-Event-ID is taken when it is one, and ignored when it is not", async () => {
    const of = fromRequest(
      { at: (_key, defaults) => ({ after: defaults?.after, stream: defaults?.stream }) },
      { owner: () => "alice" },
    )
    const app = express().get("/", (req, res) => res.json(of(req, res)))
    const url = await listen(app)
    const ask = async (header: string | undefined): Promise<unknown> =>
      (await fetch(url, { headers: header === undefined ? {} : { "last-event-id": header } })).json()
    expect(await ask(undefined)).toEqual({})
    expect(await ask("37")).toEqual({ after: 37 })
    expect(await ask("0")).toEqual({ after: 0 })
    expect(await ask("t12:37")).toEqual({ after: 37, stream: "t12" })
    for (const none of [
      "-1",
      "1.5",
      "1e3",
      "0x10",
      "9".repeat(16),
      "NaN",
      ":5",
      "a:",
      "a b:1",
      "\u00fc:1",
      "1, 2",
    ])
      expect([none, await ask(none)]).toEqual([none, {}])
  })
})

test.for<readonly [string, object]>([
  ["no owner", {}],
  ["an owner's name", { owner: "alice" }],
  ["an id that is no function", { owner: () => "alice", id: "1" }],
])("L17: %s is an InvalidOption", ([, from]) => {
  for (const make of [() => fromRequest({ at: () => 1 }, from as never), () => requestKey(from as never)])
    expect(make).toThrow(expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }))
})
