/** Beside what applications already have: compression, helmet, express-session, body parsers. */
import compression from "compression"
import type { ErrorRequestHandler } from "express"
import session from "express-session"
import helmet from "helmet"
import { createHmac } from "node:crypto"
import { once } from "node:events"
import { createGunzip } from "node:zlib"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import {
  browserOwner,
  fromRequest,
  readiness,
  route,
  sendSse,
  sendStream,
  sessionErrors,
} from "../src/index.ts"
import { Browser, counters, events, listen, open, soon } from "./support.ts"
import { versions } from "./versions.ts"

declare module "express-session" {
  interface SessionData {
    user: string
  }
}

const secret = "a secret of the tests"

describe.each(versions)("$name", ({ express }) => {
  describe("compression", () => {
    const gzip = { "accept-encoding": "gzip" }
    /** `GET /sse` and `GET /body`: one element, and the next when told to; `GET /plain`: what compression does take. */
    const serve = async () => {
      const { sessions } = counters()
      const go = Promise.withResolvers<void>()
      const stream = () =>
        sessions.stream("a", async function* () {
          yield "first"
          await go.promise
          yield "second"
        })
      const app = express()
        .use(compression({ threshold: 0 }))
        .get(
          "/sse",
          route((_req, res) => sendSse(res, stream())),
        )
        .get(
          "/body",
          route((_req, res) => sendStream(res, stream())),
        )
        .get(
          "/big",
          route((_req, res) =>
            sendStream(
              res,
              sessions.stream("b", async function* () {
                for (let n = 0; n < 200; n++) yield `${n};`.repeat(4000)
              }),
              // Its own word: now it may be compressed.
              { headers: { "cache-control": "no-cache" } },
            ),
          ),
        )
        .get("/plain", (_req, res) => void res.send("text"))
        .get("/refused", () => {
          throw Object.assign(new Error("refused"), { status: 418 })
        })
      return { url: await listen(app), go }
    }

    test("is there, for what is not ours", async () => {
      const { url } = await serve()
      expect((await open(`${url}/plain`, gzip)).headers["content-encoding"]).toBe("gzip")
    })

    test.for(["/sse", "/body"])("%s: an element arrives before the stream ends", async (path) => {
      const { url, go } = await serve()
      const response = await open(url + path, gzip)
      expect(response.headers["content-encoding"]).toBe(undefined)
      const [chunk] = (await soon(once(response, "data"), "the first element")) as [Buffer]
      expect(String(chunk)).toContain("first")
      go.resolve()
      const rest: Array<unknown> = []
      for await (const more of response) rest.push(more)
      expect(rest.join("")).toContain("second")
    })

    test("a body that may be compressed is, and a slow client still has all of it", async () => {
      const warnings: Array<Error> = []
      const warned = (warning: Error): void => void warnings.push(warning)
      process.on("warning", warned)
      const { url } = await serve()
      const response = await open(`${url}/big`, gzip)
      expect(response.headers["content-encoding"]).toBe("gzip")
      let length = 0
      for await (const chunk of response.pipe(createGunzip())) {
        length += (chunk as Buffer).length
        if (length < 1_000_000) await sleep(1)
      }
      expect(length).toBe(4000 * (10 * 2 + 90 * 3 + 100 * 4))
      process.off("warning", warned)
      expect(warnings).toEqual([])
    })
  })

  test("helmet's headers stay beside ours, and ours beside helmet's", async () => {
    const { sessions } = counters({ whenBusy: "reject" })
    const counter = fromRequest(sessions, { owner: browserOwner({ secret }) })
    const app = express()
      .use(helmet())
      .get("/ready", readiness())
      .get(
        "/sse",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(async function* () {
              yield 1
            }),
          ),
        ),
      )
      .get(
        "/refused",
        route(async (req, res) => {
          await counter(req, res).run(() => 1, { mustExist: true })
          res.end()
        }),
      )
      .use(sessionErrors())
    const url = await listen(app)
    const ours: Array<unknown> = []
    for (const path of ["/ready", "/sse", "/refused"]) {
      const response = await fetch(url + path)
      await response.text()
      expect(response.headers.get("content-security-policy")).toContain("default-src 'self'")
      expect(response.headers.get("x-content-type-options")).toBe("nosniff")
      ours.push([
        response.status,
        response.headers.get("content-type"),
        response.headers.get("cache-control"),
        response.headers.getSetCookie().length,
      ])
    }
    expect(ours).toEqual([
      [200, "application/json; charset=utf-8", "no-store", 0],
      [200, "text/event-stream", "no-cache, no-transform", 1],
      [404, "application/problem+json", "no-store", 1],
    ])
  })

  describe("express-session", () => {
    const serve = async () => {
      const { sessions, opened } = counters()
      const counter = fromRequest(sessions, {
        owner: (req) => req.session.user,
        id: (req) => (req.query["id"] as string | undefined) ?? "main",
      })
      const app = express()
        .use(session({ secret, resave: false, saveUninitialized: false }))
        .get("/login/:user", (req, res) => {
          req.session.user = req.params.user
          res.end()
        })
        .get("/logout", (req, res) => void req.session.destroy(() => res.end()))
        .get(
          "/",
          route(async (req, res) => void res.json(await counter(req, res).run((c) => [c.owner, ++c.turns]))),
        )
        .use(sessionErrors())
      return { url: await listen(app), opened }
    }
    const logIn = async (url: string, user: string): Promise<Browser> => {
      const browser = new Browser()
      await browser.visit(`${url}/login/${user}`)
      return browser
    }

    test("L19: who has logged in owns sessions, and reaches nobody else's", async () => {
      const { url, opened } = await serve()
      expect((await fetch(url)).status).toBe(401)
      expect(opened).toEqual([])
      const [alice, bob] = [await logIn(url, "alice"), await logIn(url, "bob")]
      expect(await (await alice.visit(url)).json()).toEqual(["alice", 1])
      expect(await (await alice.visit(url)).json()).toEqual(["alice", 2])
      // Bob asks for what is Alice's, by each name it may have.
      for (const id of ["main", "alice", "alice~main", "../alice~main"]) {
        const answer = await (await bob.visit(`${url}/?id=${encodeURIComponent(id)}`)).json()
        expect(answer).toEqual(["bob", 1])
      }
      expect(opened.filter((key) => key.startsWith("alice"))).toEqual(["alice~main"])
    })

    test("L19: a forged, swapped or stale session cookie opens nothing", async () => {
      const { url, opened } = await serve()
      const [alice, bob] = [await logIn(url, "alice"), await logIn(url, "bob")]
      const parts = (browser: Browser): ReadonlyArray<string> =>
        /^s:([^.]*)\.(.*)$/.exec(decodeURIComponent(browser.cookies.get("connect.sid") ?? ""))?.slice(1) ?? []
      const [aliceId = "", aliceMac = ""] = parts(alice)
      const [bobId = "", bobMac = ""] = parts(bob)
      expect(aliceId).not.toBe("")
      const sign = (id: string, key: string): string =>
        createHmac("sha256", key).update(id).digest("base64").replace(/=+$/, "")
      // The forging itself is right: this is how it is signed.
      expect(sign(aliceId, secret)).toBe(aliceMac)
      const forged = [
        aliceId,
        `s:${aliceId}`,
        `s:${aliceId}.`,
        `s:${aliceId}.${bobMac}`,
        `s:${bobId}.${aliceMac}`,
        `s:${aliceId}.${sign(aliceId, "another secret text")}`,
        `s:${"A".repeat(32)}.${sign("A".repeat(32), secret)}`,
        `j:{"user":"alice"}`,
        `s:__proto__.${sign("__proto__", secret)}`,
      ]
      for (const value of forged) {
        const headers = { cookie: `connect.sid=${encodeURIComponent(value)}` }
        expect([value, (await fetch(url, { headers })).status]).toEqual([value, 401])
      }
      const stale = alice.cookie ?? ""
      await alice.visit(`${url}/logout`)
      expect((await fetch(url, { headers: { cookie: stale } })).status).toBe(401)
      expect(opened).toEqual([])
    })

    test("two cookies of one answer are both set", async () => {
      const owner = browserOwner({ secret })
      const app = express()
        .use(session({ secret, resave: false, saveUninitialized: true }))
        .get("/", (req, res) => void res.send(owner(req, res)))
      const url = await listen(app)
      const browser = new Browser()
      const first = await (await browser.visit(url)).text()
      expect([...browser.cookies.keys()].toSorted()).toEqual(["connect.sid", "sojourn"])
      expect(await (await browser.visit(url)).text()).toBe(first)
    })
  })

  test("what a body parser refuses is not ours, and passes on untouched", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice", id: (req) => req.body?.id })
    const passedOn: Array<{ readonly type: string; readonly status: number }> = []
    const app = express()
      .use(express.json({ limit: 100 }))
      .post(
        "/",
        route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
      )
      .use(sessionErrors())
      .use(((error, _req, res, _next) => {
        passedOn.push(error)
        res.status(error.status).send(error.type)
      }) satisfies ErrorRequestHandler)
    const url = await listen(app)
    const post = async (body: string, type = "application/json") => {
      const response = await fetch(url, { method: "POST", body, headers: { "content-type": type } })
      return [response.status, await response.text()]
    }
    expect(await post('{"id":')).toEqual([400, "entity.parse.failed"])
    expect(await post(`{"id":"${"x".repeat(200)}"}`)).toEqual([413, "entity.too.large"])
    expect(await post("{}", "application/json; charset=nonsense")).toEqual([415, "charset.unsupported"])
    expect(passedOn.map(({ type }) => type)).toEqual([
      "entity.parse.failed",
      "entity.too.large",
      "charset.unsupported",
    ])
    // What it lets through without an id is ours to refuse.
    expect((await post("{}"))[0]).toBe(400)
    expect((await post("text", "text/plain"))[0]).toBe(400)
    expect(opened).toEqual([])
    expect(passedOn).toHaveLength(3)
    expect(await post('{"id":"1"}')).toEqual([200, "1"])
  })
})

test("events of an answer that is not compressed are told apart", async () => {
  // What the tests above read with: one event for each empty line, comments as "".
  const all: Array<unknown> = []
  for await (const event of events(new Response(": a\n\nid: 1\ndata: x\ndata: y\n\n"))) all.push(event)
  expect(all).toEqual([{ "": "a" }, { id: "1", data: "x\ny" }])
})
