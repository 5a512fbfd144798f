/** What went wrong, as a client is told it. */
import {
  SessionMisuse,
  SessionOpenFailed,
  SessionRefused,
  TaskStopped,
  type SessionMisuseReason,
  type SessionOpenFailedReason,
  type SessionRefusedReason,
  type TaskInfo,
  type TaskStoppedReason,
} from "@sojourn/core"
import { keyHash } from "@sojourn/core/host"
import type { ProblemReport } from "@sojourn/http"
import { expect, test } from "vitest"
import type { App, Serve } from "../App.ts"
import { answer } from "../client/answer.ts"
import { told } from "../client/told.ts"
import { hold } from "../client/hold.ts"
import { next, until } from "../client/until.ts"
import { as } from "../fixture.ts"

/** Pinned: clients are written against these. */
const refused: Record<SessionRefusedReason, number> = {
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
}
const openFailed: Record<SessionOpenFailedReason, number> = { Failed: 503, TimedOut: 503 }
const stopped: Record<TaskStoppedReason, number> = {
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
const misuse: Record<SessionMisuseReason, number> = {
  ReentrantRun: 500,
  ReentrantClose: 500,
  InvalidKey: 500,
  InvalidOption: 500,
  TaskEnded: 500,
}

const session = { name: "counters", key: "alice~a", id: "a", owner: "alice", generation: 1, serial: 1 }
const common = {
  session,
  retryAfter: 1500,
  message: "secret message of alice",
  cause: new Error("secret cause"),
}
const info = { id: "t1", name: "secret", session } as TaskInfo
const reasonsOf = <R extends string>(
  statuses: Record<R, number>,
): ReadonlyArray<readonly [reason: R, status: number]> =>
  Object.entries(statuses).map(([reason, status]) => [reason as R, status as number])

export const refusals = (serve: Serve): void => {
  test("L17: every reason has its status, and no answer tells more than the reason", async () => {
    const app = await serve()
    const all = [
      ...reasonsOf(refused).map(
        ([reason, status]) => [new SessionRefused({ ...common, reason }), status] as const,
      ),
      ...reasonsOf(openFailed).map(
        ([reason, status]) => [new SessionOpenFailed({ ...common, reason }), status] as const,
      ),
      ...reasonsOf(stopped).map(
        ([reason, status]) =>
          [new TaskStopped({ ...common, reason, task: info, started: true }), status] as const,
      ),
      ...reasonsOf(misuse).map(
        ([reason, status]) => [new SessionMisuse({ ...common, reason }), status] as const,
      ),
    ]
    for (const [error, status] of all) {
      app.script.turn = () => {
        throw error
      }
      const response = await ask(app)
      expect(response.headers.get("retry-after")).toBe("2")
      expect(await told(response)).toEqual([status, error._tag, error.reason])
    }
    expect(app.errors).toEqual([])
  })

  test("L6: Busy, when the session rejects", async () => {
    const app = await serve({ policy: { whenBusy: "reject" } })
    const { response, go } = await held(app)
    expect(await told(await ask(app))).toEqual([409, "SessionRefused", "Busy"])
    go()
    expect((await response).status).toBe(200)
  })

  test("L6: Replaced, when a newer request takes the turn", async () => {
    const app = await serve({ policy: { whenBusy: "replace" } })
    const { response } = await held(app)
    expect(await answer(app, "/counters/a", "alice")).toMatchObject({ turns: 1 })
    expect(await told(await response)).toEqual([409, "TaskStopped", "Replaced"])
  })

  test("L9: MaxQueued", async () => {
    const app = await serve({ policy: { maxQueued: 1 } })
    const { response, go } = await held(app)
    const second = ask(app)
    await until(() => app.sessions.snapshot().counts.queued === 1)
    expect(await told(await ask(app))).toEqual([429, "SessionRefused", "MaxQueued"])
    go()
    expect([(await response).status, (await second).status]).toEqual([200, 200])
  })

  test("L9: MaxPerOwner, for that owner alone", async () => {
    const app = await serve({ policy: { maxPerOwner: 1, timeouts: { seat: 0 } } })
    const { go } = await held(app)
    expect(await told(await ask(app, "b"))).toEqual([429, "SessionRefused", "MaxPerOwner"])
    expect((await ask(app, "b", "bob")).status).toBe(200)
    go()
  })

  test("L9: MaxSessions", async () => {
    const app = await serve({ policy: { maxSessions: 1, timeouts: { seat: 0 } } })
    const { go } = await held(app)
    expect(await told(await ask(app, "b", "bob"))).toEqual([503, "SessionRefused", "MaxSessions"])
    go()
  })

  test("L5: QueueTimeout, and a Timeout of the call", async () => {
    const app = await serve({ policy: { timeouts: { queue: 10 } } })
    const { go } = await held(app)
    expect(await told(await ask(app))).toEqual([504, "SessionRefused", "QueueTimeout"])
    go()
    app.script.turnOptions = { timeout: 10 }
    const slow = await held(app, "b")
    expect(await told(await slow.response)).toEqual([504, "TaskStopped", "Timeout"])
  })

  test("L13: Silent", async () => {
    const app = await serve()
    app.script.turnOptions = { silence: 10 }
    const { response } = await held(app)
    expect(await told(await response)).toEqual([504, "TaskStopped", "Silent"])
  })

  test("L5: Cancelled, and Closed for who runs and who waits", async () => {
    const app = await serve()
    const cancelled = await held(app)
    await app.sessions.cancel({ owner: "alice", id: "a" })
    expect(await told(await cancelled.response)).toEqual([409, "TaskStopped", "Cancelled"])

    const running = await held(app)
    const waiting = ask(app)
    await until(() => app.sessions.snapshot().counts.queued === 1)
    await app.sessions.close({ owner: "alice", id: "a" })
    expect(await told(await running.response)).toEqual([503, "TaskStopped", "Closed"])
    expect(await told(await waiting)).toEqual([503, "SessionRefused", "Closed"])
    expect(await answer(app, "/counters/a", "alice")).toMatchObject({ turns: 1 })
  })

  test("L2: NotFound, when it must exist", async () => {
    const app = await serve()
    app.script.turnOptions = { mustExist: true }
    expect(await told(await ask(app))).toEqual([404, "SessionRefused", "NotFound"])
    expect(app.opened).toEqual([])
  })

  test("L10: an opening that fails tells all who wait; its cause stays here", async () => {
    const gate = Promise.withResolvers<void>()
    const app = await serve({
      opening: async () => {
        await gate.promise
        throw new Error("secret: postgres://alice:password@db")
      },
    })
    const waiting = [ask(app), ask(app), ask(app)]
    await until(() => app.sessions.snapshot().counts.queued === 3)
    gate.resolve()
    for (const response of waiting)
      expect(await told(await response)).toEqual([503, "SessionOpenFailed", "Failed"])
    expect([app.opened.length, app.errors]).toEqual([1, []])
  })

  test("L10: an opening that takes too long", async () => {
    const app = await serve({
      policy: { timeouts: { open: 10 } },
      opening: ({ signal }) =>
        new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true })),
    })
    expect(await told(await ask(app))).toEqual([503, "SessionOpenFailed", "TimedOut"])
  })

  test("L11: Quarantined, with the time after which to try again", async () => {
    const app = await serve({ policy: { restart: { times: 0, quarantine: "20 seconds" } } })
    const quarantined = next(app.sessions, "Quarantined")
    const { turn } = app.script
    app.script.turn = (counter, task) => {
      task.broken(new Error("secret"))
      return turn(counter, task)
    }
    expect((await ask(app)).status).toBe(200)
    await quarantined
    const response = await ask(app)
    const wait = Number(response.headers.get("retry-after"))
    expect(wait).toBeGreaterThanOrEqual(1)
    expect(wait).toBeLessThanOrEqual(30)
    expect(await told(response)).toEqual([503, "SessionRefused", "Quarantined"])
    expect((await ask(app, "b")).status).toBe(200)
  })

  test("L7: a call that would wait for itself, and a wrong option, are the application's mistakes", async () => {
    const app = await serve()
    app.script.turn = () => app.sessions.run({ owner: "alice", id: "a" }, () => ({}))
    expect(await told(await ask(app))).toEqual([500, "SessionMisuse", "ReentrantRun"])
    app.script.turnOptions = { timeout: -1 }
    expect(await told(await ask(app))).toEqual([500, "SessionMisuse", "InvalidOption"])
  })

  test("L17: statuses, body and report can be replaced", async () => {
    const reports: Array<ProblemReport> = []
    const app = await serve({
      problems: {
        statuses: { Busy: 423 },
        body: ({ error }, { retryAfter }) =>
          error.reason === "Closed" ? "plain text" : { own: error.reason, retryAfter },
        report: (report) => {
          reports.push(report)
          throw new Error("a log that fails")
        },
      },
    })
    const throws = (error: Error): void => {
      app.script.turn = () => {
        throw error
      }
    }
    throws(new SessionRefused({ reason: "Busy", session, retryAfter: 10 }))
    const busy = await ask(app)
    expect([busy.status, busy.headers.get("content-type")]).toEqual([423, "application/json"])
    expect(await busy.json()).toEqual({ own: "Busy", retryAfter: 10 })
    throws(new SessionRefused({ reason: "Closed" }))
    const closed = await ask(app)
    expect([closed.status, closed.headers.get("content-type"), await closed.text()]).toEqual([
      503,
      "text/plain; charset=utf-8",
      "plain text",
    ])
    expect(reports.map(({ status, reason, session: of }) => [status, reason, of])).toEqual([
      [423, "Busy", keyHash({ owner: "alice", id: "a" })],
      [503, "Closed", undefined],
    ])
  })

  test("L17: the application's own errors go where they went without us, untouched", async () => {
    const app = await serve()
    const own = Object.assign(new Error("secret"), { status: 418 })
    app.script.turn = () => Promise.reject(own)
    const response = await ask(app)
    expect([response.status, await response.text()]).toEqual([418, "the application's own answer"])
    expect(app.errors).toEqual([own])
    expect(app.errors[0]).toBe(own)
    app.script.turn = () => {
      throw new TypeError("secret")
    }
    expect((await ask(app)).status).toBe(500)
    expect(app.errors[1]).toBeInstanceOf(TypeError)
  })
}

const ask = (app: App, id = "a", owner = "alice"): Promise<Response> =>
  app.request(`/counters/${id}`, { headers: as(owner) })

/** A request of alice's whose turn runs until it is let go. */
const held = async (app: App, id = "a") => {
  const { started, go, free } = hold(app)
  const response = ask(app, id)
  await started
  free()
  return { response, go }
}
