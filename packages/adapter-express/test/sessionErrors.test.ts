import { SessionMisuse, SessionOpenFailed, SessionRefused, TaskStopped, type TaskInfo } from "@sojourn/core"
import express, { type ErrorRequestHandler } from "express"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { fromRequest, sessionErrors } from "../src/index.ts"
import { counters, listen, next } from "./support.ts"

const session = {
  name: "s",
  key: "secret-key~",
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
const serve = async (error: unknown, after: "before headers" | "after headers" = "before headers") => {
  const passedOn: Array<unknown> = []
  const url = await listen(
    express()
      .get("/", (_req, res) => {
        if (after === "after headers") res.write("begun")
        throw error
      })
      .use(sessionErrors())
      .use(((passed, _req, res, _next) => {
        passedOn.push(passed)
        if (res.headersSent) res.end()
        else res.status(599).end()
      }) satisfies ErrorRequestHandler),
  )
  return { response: await fetch(url), passedOn }
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

test.for(rows)(
  "L17: %s %s is answered %i, and nothing else is told",
  async ([tag, reason, status, error]) => {
    const { response, passedOn } = await serve(error)
    expect(response.status).toBe(status)
    expect(response.headers.get("retry-after")).toBe("2")
    expect(response.headers.get("cache-control")).toBe("no-store")
    const text = await response.text()
    expect(JSON.parse(text)).toEqual({ error: { tag, reason } })
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
  const { response, passedOn } = await serve(error, "after headers")
  expect(response.status).toBe(200)
  expect(passedOn).toEqual([error])
})

test("a status that the error brings counts only where fromRequest gave it", async () => {
  const { response } = await serve(Object.assign(new SessionRefused({ reason: "Busy" }), { status: 200 }))
  expect(response.status).toBe(409)
  const strange = await serve(Object.assign(new SessionMisuse({ reason: "TaskEnded" }), { status: 200 }))
  expect(strange.response.status).toBe(500)
})

test("L9, L6, L14: from a real registry: MaxQueued, Busy, Timeout, NotFound, Draining", async () => {
  const { sessions } = counters({ maxQueued: 0 })
  const counter = fromRequest(sessions, { owner: (req) => req.get("x-user") ?? "alice" })
  const go = Promise.withResolvers<void>()
  const app = express()
    .get(
      "/hold",
      async (req, res) => void res.json(await counter(req, res).run(() => go.promise.then(() => "held"))),
    )
    .get("/queue", async (req, res) => void res.json(await counter(req, res).run(() => 1)))
    .get(
      "/reject",
      async (req, res) => void res.json(await counter(req, res).run(() => 1, { whenBusy: "reject" })),
    )
    .get(
      "/timeout",
      async (req, res) =>
        void res.json(
          await counter(req, res).run((_c, { signal }) => sleep(60_000, 1, { signal }), { timeout: 20 }),
        ),
    )
    .get(
      "/exists",
      async (req, res) => void res.json(await counter(req, res).run(() => 1, { mustExist: true })),
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
  const { sessions } = counters({})
  const app = express()
    .get("/", async (_req, res) => {
      await sessions.run("a", () => {
        throw new SessionOpenFailed({ reason: "Failed", cause, session })
      })
      res.end()
    })
    .use(sessionErrors())
  const response = await fetch(await listen(app))
  expect(response.status).toBe(503)
  expect(await response.text()).not.toContain("secret")
})
