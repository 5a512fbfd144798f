import {
  createSessions,
  SessionMisuse,
  SessionOpenFailed,
  SessionRefused,
  TaskStopped,
  type TaskInfo,
} from "@sojourn/core"
import type { ErrorRequestHandler, Response as Answer } from "express"
import { request as httpRequest } from "node:http"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { fromRequest, route, sessionErrors, type ProblemOptions, type ProblemReport } from "../src/index.ts"
import { counters, listen, next } from "./support.ts"
import { versions } from "./versions.ts"

const session = {
  name: "s",
  key: "secret-owner~secret-id",
  id: "secret-id",
  owner: "secret-owner",
  generation: 1,
  serial: 1,
}
const task: TaskInfo = {
  id: "t1",
  name: "run",
  kind: "turn",
  session,
  state: "running",
  queuedAt: 0,
  startedAt: 0,
  progressAt: 0,
  note: undefined,
}
const refused: Readonly<Record<SessionRefused["reason"], number>> = {
  MaxSessions: 503,
  MaxPerOwner: 429,
  MaxHeap: 503,
  MaxLeaked: 503,
  MaxQueued: 429,
  QueueTimeout: 504,
  Busy: 409,
  Quarantined: 503,
  Draining: 503,
  Closed: 503,
  NotFound: 404,
  LeaseEnded: 404,
  ReplayGap: 410,
  MaxNewOwners: 429,
}
const stopped: Readonly<Record<TaskStopped["reason"], number>> = {
  Timeout: 504,
  Silent: 504,
  Stalled: 503,
  Replaced: 409,
  Cancelled: 409,
  CallerStopped: 503,
  Closed: 503,
  Restarted: 503,
  Drained: 503,
  Broken: 503,
}
const openFailed: Readonly<Record<SessionOpenFailed["reason"], number>> = { Failed: 503, TimedOut: 503 }
const misuse: Readonly<Record<SessionMisuse["reason"], number>> = {
  ReentrantRun: 500,
  ReentrantClose: 500,
  InvalidKey: 500,
  InvalidOption: 500,
  TaskEnded: 500,
}
const cause = new Error("secret cause")
const fields = { session, cause, message: "secret message", retryAfter: 1001 }
const entries = <K extends string>(table: Readonly<Record<K, number>>) =>
  Object.entries(table) as Array<[K, number]>
const rows: ReadonlyArray<readonly [string, string, number, Error]> = [
  ...entries(refused).map(
    ([reason, status]) =>
      ["SessionRefused", reason, status, new SessionRefused({ ...fields, reason })] as const,
  ),
  ...entries(stopped).map(
    ([reason, status]) =>
      ["TaskStopped", reason, status, new TaskStopped({ ...fields, reason, task, started: true })] as const,
  ),
  ...entries(openFailed).map(
    ([reason, status]) =>
      ["SessionOpenFailed", reason, status, new SessionOpenFailed({ ...fields, reason })] as const,
  ),
  ...entries(misuse).map(
    ([reason, status]) =>
      ["SessionMisuse", reason, status, new SessionMisuse({ ...fields, reason })] as const,
  ),
]

const kebab = (reason: string): string =>
  reason
    .split(/(?=[A-Z])/)
    .join("-")
    .toLowerCase()

describe.each(versions)("$name: sessionErrors", ({ express }) => {
  const serve = async (
    error: unknown,
    options: ProblemOptions = {},
    before: (res: Answer) => unknown = () => {},
  ) => {
    const passedOn: Array<unknown> = []
    const url = await listen(
      express()
        .get("/", (_req, res) => {
          before(res)
          throw error
        })
        .use(sessionErrors(options))
        .use(((passed, _req, res, _next) => {
          passedOn.push(passed)
          if (res.headersSent) res.end()
          else res.status(599).end()
        }) satisfies ErrorRequestHandler),
    )
    return { response: await fetch(url), passedOn, url }
  }

  test.for(rows)(
    "L17: %s %s is answered %i as RFC 9457 has it, and nothing else is told",
    async ([tag, reason, status, error]) => {
      const { response, passedOn } = await serve(error)
      expect(response.status).toBe(status)
      expect(response.headers.get("content-type")).toBe("application/problem+json")
      expect(response.headers.get("retry-after")).toBe("2")
      expect(response.headers.get("cache-control")).toBe("no-store")
      const text = await response.text()
      expect(JSON.parse(text)).toEqual({
        type: `urn:problem-type:sojourn:${kebab(reason)}`,
        title: expect.stringMatching(/^[A-Z].*\.$/) as string,
        status,
        error: { tag, reason },
      })
      expect(JSON.stringify([...response.headers]) + text).not.toContain("secret")
      expect(passedOn).toEqual([])
    },
  )

  test("without retryAfter there is no Retry-After; now is 0", async () => {
    const never = await serve(new SessionRefused({ reason: "NotFound" }))
    expect(never.response.headers.has("retry-after")).toBe(false)
    const endless = await serve(new SessionRefused({ reason: "Busy", retryAfter: Infinity }))
    expect(endless.response.headers.has("retry-after")).toBe(false)
    const now = await serve(new SessionRefused({ reason: "Busy", retryAfter: 0 }))
    expect(now.response.headers.get("retry-after")).toBe("0")
  })

  test("an error that is not ours passes on untouched", async () => {
    const own = Object.assign(new Error("mine"), { _tag: "SessionRefused", reason: "Busy" })
    const { response, passedOn } = await serve(own)
    expect(response.status).toBe(599)
    expect(passedOn).toEqual([own])
  })

  test("once the headers are sent it passes on", async () => {
    const error = new SessionRefused({ reason: "Busy" })
    const { response, passedOn } = await serve(error, {}, (res) => res.write("begun"))
    expect(response.status).toBe(200)
    expect(passedOn).toEqual([error])
  })

  test("a status that the error brings counts only where fromRequest gave it", async () => {
    const { response } = await serve(Object.assign(new SessionRefused({ reason: "Busy" }), { status: 200 }))
    expect(response.status).toBe(409)
    const strange = await serve(Object.assign(new SessionMisuse({ reason: "TaskEnded" }), { status: 200 }))
    expect(strange.response.status).toBe(500)
  })

  test("what was said of the body that was to come is not said of the problem", async () => {
    const stale = {
      "content-type": "text/csv",
      "content-length": "1000000",
      "content-encoding": "gzip",
      "content-language": "tlh",
      "content-disposition": "attachment",
      "content-range": "bytes 0-1/2",
      "accept-ranges": "bytes",
      etag: '"1"',
      "last-modified": new Date(0).toUTCString(),
      "x-own": "kept",
    }
    const { response, url } = await serve(new SessionRefused({ reason: "Busy" }), {}, (res) => res.set(stale))
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ status: 409 })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/problem+json",
      "content-length": String(text.length),
      "x-own": "kept",
    })
    const { "content-type": _type, "content-length": _length, "x-own": _own, ...others } = stale
    expect(Object.keys(others).filter((name) => response.headers.has(name))).toEqual([])

    const head = await fetch(url, { method: "HEAD" })
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      409,
      String(text.length),
      "",
    ])
  })

  test("statuses, body and report can be the application's own", async () => {
    const reports: Array<ProblemReport> = []
    const options: ProblemOptions = {
      statuses: { Busy: 423 },
      body: ({ error }) => (error.reason === "Busy" ? { code: "BUSY" } : `no: ${error.reason}\u00fc`),
      report: (report) => {
        reports.push(report)
        throw new Error("the log is full")
      },
    }
    const busy = new SessionRefused({ reason: "Busy", session, retryAfter: 7 })
    const { response } = await serve(busy, options)
    expect([response.status, response.headers.get("content-type"), await response.json()]).toEqual([
      423,
      "application/json",
      { code: "BUSY" },
    ])
    const text = await serve(new SessionRefused({ reason: "NotFound" }), options)
    expect([
      text.response.status,
      text.response.headers.get("content-type"),
      await text.response.text(),
    ]).toEqual([404, "text/plain; charset=utf-8", "no: NotFound\u00fc"])
    expect(reports).toEqual([
      {
        status: 423,
        tag: "SessionRefused",
        reason: "Busy",
        session: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        name: "s",
        retryAfter: 7,
        error: busy,
      },
      expect.objectContaining({ status: 404, session: undefined, name: undefined }),
    ])
  })

  test("L9, L6, L14: from a real registry: MaxQueued, Busy, Timeout, NotFound, Draining", async () => {
    const { sessions } = counters({ maxQueued: 0 })
    const counter = fromRequest(sessions, { owner: (req) => req.get("x-user") ?? "alice" })
    const go = Promise.withResolvers<void>()
    const app = express()
      .get(
        "/hold",
        route(
          async (req, res) => void res.json(await counter(req, res).run(() => go.promise.then(() => "held"))),
        ),
      )
      .get(
        "/queue",
        route(async (req, res) => void res.json(await counter(req, res).run(() => 1))),
      )
      .get(
        "/reject",
        route(
          async (req, res) => void res.json(await counter(req, res).run(() => 1, { whenBusy: "reject" })),
        ),
      )
      .get(
        "/timeout",
        route(async (req, res) => {
          res.json(
            await counter(req, res).run((_c, { signal }) => sleep(60_000, 1, { signal }), { timeout: 20 }),
          )
        }),
      )
      .get(
        "/exists",
        route(async (req, res) => void res.json(await counter(req, res).run(() => 1, { mustExist: true }))),
      )
      .use(sessionErrors())
    const url = await listen(app)
    const ask = async (path: string, user = "alice") => {
      const response = await fetch(url + path, { headers: { "x-user": user } })
      return [response.status, ((await response.json()) as { error: { reason: string } }).error.reason]
    }
    const started = next(sessions, "TaskStarted")
    const held = fetch(`${url}/hold`)
    await started
    expect(await ask("/queue")).toEqual([429, "MaxQueued"])
    expect(await ask("/reject")).toEqual([409, "Busy"])
    expect(await ask("/timeout", "bob")).toEqual([504, "Timeout"])
    expect(await ask("/exists", "carol")).toEqual([404, "NotFound"])
    const drained = sessions.drain()
    expect(await ask("/queue", "dave")).toEqual([503, "Draining"])
    go.resolve()
    expect(await (await held).json()).toBe("held")
    await drained
  })

  test("L10: a failed open is 503 and tells nothing of its cause", async () => {
    const sessions = createSessions({
      name: "secret-registry",
      open: () => Promise.reject(cause),
    })
    const counter = fromRequest(sessions, { owner: () => "secret-owner" })
    const app = express()
      .get(
        "/",
        route(async (req, res) => void res.json(await counter(req, res).run(() => 1))),
      )
      .use(sessionErrors())
    const response = await fetch(await listen(app))
    expect(response.status).toBe(503)
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ error: { tag: "SessionOpenFailed", reason: "Failed" } })
    expect(text).not.toContain("secret")
    await sessions.drain()
  })

  test("L5: whoever has left is not answered, and no later handler hears of it", async () => {
    const passedOn: Array<unknown> = []
    const reached = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    const ours = new SessionRefused({ reason: "Busy" })
    const app = express()
      .get(
        "/",
        route(async (_req, res) => {
          reached.resolve()
          await once(res, "close")
          // By then whoever is to hear of it has heard of it.
          setImmediate(over.resolve)
          throw ours
        }),
      )
      .use(sessionErrors({ report: (report) => passedOn.push(report) }))
      .use(((error, _req, _res, _next) => void passedOn.push(error)) satisfies ErrorRequestHandler)
    const url = await listen(app)
    const client = httpRequest(url, { agent: false }).on("error", () => {})
    client.end()
    await reached.promise
    client.destroy()
    await over.promise
    expect(passedOn).toEqual([])
  })
})

test.for<readonly [string, object]>([
  ["a misspelt option", { status: {} }],
  ["a status that is none of an error", { statuses: { Busy: 200 } }],
  ["a body that is no function", { body: "no" }],
])("L17: %s is an InvalidOption", ([, options]) => {
  expect(() => sessionErrors(options as ProblemOptions)).toThrow(
    expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }),
  )
})
