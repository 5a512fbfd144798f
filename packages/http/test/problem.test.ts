import {
  SessionMisuse,
  SessionOpenFailed,
  SessionRefused,
  TaskStopped,
  type SessionRef,
  type TaskInfo,
} from "@sojourn/core"
import {
  keyHash,
  sessionMisuseReasons,
  sessionOpenFailedReasons,
  sessionRefusedReasons,
  taskStoppedReasons,
} from "@sojourn/core/host"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  checkedProblemOptions,
  problemAnswer,
  publicError,
  type Problem,
  type ProblemOptions,
  type ProblemReport,
} from "../src/index.ts"
import { registry } from "./support.ts"

const session: SessionRef = {
  name: "chats",
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
  note: "secret note",
}
const cause = new Error("secret cause")
const fields = { session, cause, message: "secret message", retryAfter: 1001 }

const statuses: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  SessionRefused: {
    MaxSessions: 503,
    MaxPerOwner: 429,
    MaxHeap: 503,
    MaxLeaked: 503,
    MaxQueued: 429,
    MaxNewOwners: 429,
    QueueTimeout: 504,
    Busy: 409,
    Quarantined: 503,
    Draining: 503,
    Closed: 503,
    NotFound: 404,
    LeaseEnded: 404,
    ReplayGap: 410,
  },
  SessionOpenFailed: { Failed: 503, TimedOut: 503 },
  TaskStopped: {
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
  },
  SessionMisuse: {
    ReentrantRun: 500,
    ReentrantClose: 500,
    InvalidKey: 500,
    InvalidOption: 500,
    TaskEnded: 500,
  },
}
/** Every reason core has, from its own lists. */
const errors = [
  ...sessionRefusedReasons.map((reason) => new SessionRefused({ ...fields, reason })),
  ...sessionOpenFailedReasons.map((reason) => new SessionOpenFailed({ ...fields, reason })),
  ...taskStoppedReasons.map((reason) => new TaskStopped({ ...fields, reason, task, started: true })),
  ...sessionMisuseReasons.map((reason) => new SessionMisuse({ ...fields, reason })),
]

describe("every reason of every error", () => {
  test.for(errors.map((error) => [error._tag, error.reason, error] as const))(
    "L17: %s %s has its status, its own type and nothing else",
    ([tag, reason, error]) => {
      const status = statuses[tag]?.[reason]
      expect(status, `no status was decided for ${tag} ${reason}`).toBeDefined()
      const answer = problemAnswer(error)
      expect(answer).toEqual({
        status,
        headers: {
          "content-type": "application/problem+json",
          "cache-control": "no-store",
          "retry-after": "2",
        },
        body: expect.any(String),
      })
      expect(JSON.parse(answer.body)).toEqual({
        type: expect.stringMatching(/^urn:problem-type:sojourn:[a-z]+(-[a-z]+)*$/),
        title: expect.stringMatching(/^[A-Z].*\.$/),
        status,
        error: { tag, reason },
      })
      expect(answer.body).not.toMatch(/secret|chats|t1/)
    },
  )

  test("no status is decided for what is no reason", () => {
    const decided = Object.entries(statuses).flatMap(([tag, table]) =>
      Object.keys(table).map((reason) => `${tag} ${reason}`),
    )
    expect(decided.toSorted()).toEqual(errors.map(({ _tag, reason }) => `${_tag} ${reason}`).toSorted())
  })

  test("the same reason has the same type, and no two share one", () => {
    const types = new Map(
      errors.map((error) => [error.reason, (JSON.parse(problemAnswer(error).body) as Problem).type]),
    )
    expect(new Set(types.values()).size).toBe(types.size)
    expect(types.get("MaxPerOwner")).toBe("urn:problem-type:sojourn:max-per-owner")
  })

  test("a reason that only another copy of core knows is 503", () => {
    const newer = Object.assign(new SessionRefused({ reason: "Busy" }), { reason: "MaxMoons" })
    expect(problemAnswer(newer as SessionRefused).status).toBe(503)
  })

  test.for<readonly [object, number]>([
    [{ status: 400 }, 400],
    [{ status: 401 }, 401],
    [{ status: 200 }, 500],
    [{ status: "400" }, 500],
    [{}, 500],
  ])("a misuse with %j is %i", ([also, status]) => {
    const error = Object.assign(new SessionMisuse({ reason: "InvalidKey" }), also)
    expect(problemAnswer(error).status).toBe(status)
    expect(problemAnswer(Object.assign(new SessionRefused({ reason: "Busy" }), also)).status).toBe(409)
  })
})

describe("Retry-After", () => {
  test.for<readonly [number | undefined, string | undefined]>([
    [undefined, undefined],
    [Infinity, undefined],
    [Number.NaN, undefined],
    [0, "0"],
    [0.1, "1"],
    [1, "1"],
    [1000, "1"],
    [1000.001, "2"],
    [59_999, "60"],
    [-5, "0"],
    [1e30, "2147483647"],
  ])("%d ms is %s", ([retryAfter, expected]) => {
    const { headers } = problemAnswer(new SessionRefused({ reason: "Busy", retryAfter }))
    expect(headers["retry-after"]).toBe(expected)
  })

  test("is never early, and never a second late", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (retryAfter) => {
        const { headers } = problemAnswer(new SessionRefused({ reason: "Busy", retryAfter }))
        const seconds = Number(headers["retry-after"])
        expect(headers["retry-after"]).toMatch(/^\d+$/)
        expect(seconds * 1000).toBeGreaterThanOrEqual(retryAfter)
        expect((seconds - 1) * 1000).toBeLessThan(retryAfter)
      }),
    )
  })
})

describe("options", () => {
  const busy = new SessionRefused({ reason: "Busy", session, retryAfter: 1 })
  const own = problemAnswer(busy)

  test("a status of the application's", () => {
    const answer = problemAnswer(busy, { statuses: { Busy: 423 } })
    expect([answer.status, (JSON.parse(answer.body) as Problem).status]).toEqual([423, 423])
    expect(problemAnswer(busy, { statuses: { NotFound: 410 } })).toEqual(own)
  })

  test.for<readonly [string, NonNullable<ProblemOptions["body"]>, string, string]>([
    ["a text", () => "busy", "text/plain; charset=utf-8", "busy"],
    ["an object", ({ error }) => ({ code: error.reason }), "application/json", '{"code":"Busy"}'],
    ["a list", ({ title }) => [title.length], "application/json", "[41]"],
    ["the problem itself", (problem) => problem, "application/problem+json", own.body],
    [
      "the problem with more in it",
      (problem) => Object.assign(problem, { more: 1 }),
      "application/problem+json",
      own.body.replace(/\}$/, ',"more":1}'),
    ],
  ])("a body that is %s", ([, body, type, text]) => {
    expect(problemAnswer(busy, { body })).toEqual({
      status: 409,
      headers: { ...own.headers, "content-type": type },
      body: text,
    })
  })

  test.for<readonly [string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("secret")
      },
    ],
    ["gives nothing", () => undefined],
    ["gives null", () => null],
    ["gives a number", () => 7],
    ["gives a function", () => () => "secret"],
    ["gives a promise", () => Promise.resolve({ a: 1 })],
    ["gives a promise that rejects", () => Promise.reject(new Error("secret"))],
    ["gives a bigint inside", () => ({ a: 1n })],
    [
      "gives what throws when it is written",
      () => ({
        toJSON: () => {
          throw new Error("secret")
        },
      }),
    ],
    ["gives what writes itself as nothing", () => ({ toJSON: () => undefined })],
  ])("a body that %s: ours is sent, and nothing is thrown", async ([, body]) => {
    expect(problemAnswer(busy, { body: body as NonNullable<ProblemOptions["body"]> })).toEqual(own)
    // An unhandled rejection would fail the run.
    await new Promise((resolve) => setImmediate(resolve))
  })

  test("what a body does to the problem changes neither the status nor, when it then throws, our own", () => {
    const body = (problem: Problem): never => {
      Object.assign(problem, { status: 200, title: "secret", self: problem })
      throw new Error("secret")
    }
    expect(problemAnswer(busy, { body })).toEqual(own)
    const changed = problemAnswer(busy, { body: (problem) => Object.assign(problem, { status: 200 }) })
    expect(changed.status).toBe(409)
  })

  test("report is told of each, with a hash in place of the key", () => {
    const reports: Array<ProblemReport> = []
    const report = (one: ProblemReport): void => void reports.push(one)
    problemAnswer(busy, { report, statuses: { Busy: 423 } })
    problemAnswer(new SessionMisuse({ reason: "InvalidOption" }), { report })
    expect(reports).toEqual([
      {
        status: 423,
        tag: "SessionRefused",
        reason: "Busy",
        session: keyHash({ owner: "secret-owner", id: "secret-id" }),
        name: "chats",
        retryAfter: 1,
        error: busy,
      },
      {
        status: 500,
        tag: "SessionMisuse",
        reason: "InvalidOption",
        session: undefined,
        name: undefined,
        retryAfter: undefined,
        error: expect.any(SessionMisuse),
      },
    ])
    expect(JSON.stringify(reports)).not.toContain("secret")
  })

  test("L17: the error a registry really gives can be reported, whatever its key", async () => {
    const sessions = registry()
    const keys = fc.oneof(
      fc.record({
        owner: fc.string({ unit: "binary", minLength: 1 }),
        id: fc.string({ unit: "binary", minLength: 1 }),
      }),
      fc.record({ owner: fc.string({ unit: "binary", minLength: 1 }) }),
      fc.string({ unit: "binary", minLength: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(keys, async (key) => {
        const error: unknown = await sessions
          .run(key, () => {}, { mustExist: true })
          .catch((one: unknown) => one)
        const reports: Array<ProblemReport> = []
        expect(problemAnswer(error as SessionRefused, { report: (one) => reports.push(one) }).status).toBe(
          404,
        )
        expect(reports.map((one) => one.session)).toEqual([keyHash(key)])
      }),
    )
  })

  test.for<readonly [string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("secret")
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret"))],
  ])("a report that %s changes nothing", async ([, report]) => {
    expect(problemAnswer(busy, { report })).toEqual(own)
    await new Promise((resolve) => setImmediate(resolve))
  })

  test.for<readonly [string, unknown]>([
    ["null", null],
    ["a list", []],
    ["a misspelt one", { status: {} }],
    ["statuses that are a list", { statuses: [500] }],
    ["a status that says all is well", { statuses: { Busy: 200 } }],
    ["399", { statuses: { Busy: 399 } }],
    ["600", { statuses: { Busy: 600 } }],
    ["half a status", { statuses: { Busy: 429.5 } }],
    ["no number", { statuses: { Busy: Number.NaN } }],
    ["a status as text", { statuses: { Busy: "429" } }],
    ["a status for what is no reason", { statuses: { busy: 429 } }],
    ["a body that is no function", { body: { error: "busy" } }],
    ["a report that is none", { report: "console" }],
  ])("L17: %s is an InvalidOption", ([, options]) => {
    expect(() => checkedProblemOptions(options as ProblemOptions)).toThrow(
      expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }),
    )
  })

  test("L17: what is right is given back as it is, for every reason there is", () => {
    const all = { statuses: Object.fromEntries(errors.map(({ reason }, index) => [reason, 400 + index])) }
    const options = { ...all, body: () => "x", report: () => {} }
    expect(checkedProblemOptions(options)).toBe(options)
    expect(checkedProblemOptions({})).toEqual({})
    for (const status of [400, 599])
      expect(problemAnswer(busy, checkedProblemOptions({ statuses: { Busy: status } })).status).toBe(status)
  })
})

test("in a stream an error of the application is Failed, whatever it is", () => {
  expect(publicError(new SessionRefused({ ...fields, reason: "Busy" }))).toEqual({
    error: { tag: "SessionRefused", reason: "Busy" },
  })
  for (const error of [
    new Error("secret"),
    undefined,
    null,
    "secret",
    { _tag: "SessionRefused", reason: "secret" },
  ])
    expect(publicError(error)).toEqual({ error: { tag: "Error", reason: "Failed" } })
})
