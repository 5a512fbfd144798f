import { inspect } from "node:util"
import { describe, expect, test } from "vitest"
import {
  isSessionError,
  SessionMisuse,
  SessionOpenFailed,
  SessionRefused,
  TaskStopped,
} from "../../src/errors.ts"
import { faces } from "../support/faces.ts"
import { gate, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => expect.fail(`it succeeded: ${String(value)}`),
    (error: unknown) => error,
  )
const secret = "s3cret-token"
const key = { owner: "alice", id: secret }

/** One error of each kind, made by the engine, about the secret key. */
const kinds: ReadonlyArray<readonly [string, (world: World<unknown>) => Promise<unknown>]> = [
  [
    "SessionRefused MaxQueued",
    async ({ sessions }) => {
      void errorOf(sessions.run(key, () => gate().promise))
      await settle()
      return errorOf(sessions.run(key, () => 1))
    },
  ],
  [
    "SessionRefused Draining",
    async ({ sessions }) => {
      await sessions.run(key, () => 1)
      void sessions.drain()
      return errorOf(sessions.run(key, () => 1))
    },
  ],
  ["SessionRefused NotFound", ({ sessions }) => errorOf(sessions.run(key, () => 1, { mustExist: true }))],
  [
    "TaskStopped Timeout",
    async ({ clock, sessions }) => {
      const told = errorOf(sessions.run(key, () => gate().promise, { timeout: 100, name: "query" }))
      await clock.advance(100)
      return told
    },
  ],
  [
    "SessionMisuse ReentrantRun",
    ({ sessions }) => errorOf(sessions.run(key, () => sessions.run(key, () => 1))),
  ],
  ["SessionMisuse ReentrantClose", ({ sessions }) => errorOf(sessions.run(key, () => sessions.close(key)))],
  ["SessionMisuse InvalidKey", ({ sessions }) => errorOf(sessions.run({ owner: secret, id: "" }, () => 1))],
]
const classes = { SessionRefused, SessionOpenFailed, TaskStopped, SessionMisuse }

describe.each(faces)("$face", ({ world }) => {
  test.each(kinds)(
    "L17: %s has its tag, reason, class and session, and its printed form keeps the key to itself",
    async (kind, make) => {
      const [tag = "", reason] = kind.split(" ")
      const error = await make(world({ maxQueued: 0 }))
      expect(error).toBeInstanceOf(Error)
      expect(error).toMatchObject({ _tag: tag, name: tag, reason })
      expect(isSessionError(error)).toBe(true)
      const mine = Object.entries(classes).filter(([, one]) => error instanceof one)
      expect(mine.map(([name]) => name)).toEqual([tag])
      for (const printed of [
        inspect(error, { depth: 8, showHidden: true }),
        String(error),
        JSON.stringify(error),
        (error as Error).stack ?? "",
      ]) {
        expect(printed).not.toContain(secret)
        expect(printed).not.toContain("alice")
      }
      if (reason === "InvalidKey") return
      const { explanation, session } = error as SessionRefused
      expect(session).toMatchObject({ id: secret, owner: "alice", key: `alice~${secret}` })
      expect(explanation.session).toMatchObject({ id: secret, key: `alice~${secret}` })
    },
  )

  test("L17: the explanation is of the session it is about, also when the registry takes nothing any more", async () => {
    const { sessions } = world()
    const held = gate()
    const running = sessions.run("a", () => held.promise, { name: "still going" })
    await settle()
    const draining = sessions.drain()
    const error = (await errorOf(sessions.run("a", serialOf))) as SessionRefused
    expect(error.explanation).toMatchObject({ state: "Ready", alive: [{ name: "still going" }] })
    expect(String(error.explanation)).toContain("still going")
    held.open()
    await running
    await draining
    const later = (await errorOf(sessions.run("a", serialOf))) as SessionRefused
    expect(later.explanation).toMatchObject({ state: "Closed", ended: { reason: "Drained" } })
  })

  test("L17: the explanation is made when it is first read, and stays as it was", async () => {
    const { clock, sessions } = world({ idleTimeout: 1000 })
    const held = gate()
    const running = sessions.run("a", () => held.promise)
    await settle()
    const error = (await errorOf(sessions.run("a", serialOf, { whenBusy: "reject" }))) as SessionRefused
    expect(error.reason).toBe("Busy")
    const { explanation } = error
    expect(explanation.state).toBe("Ready")
    held.open()
    await running
    await clock.advance(1000)
    expect(error.explanation).toBe(explanation)
    expect(explanation.state).toBe("Ready")
  })

  test("L17: a stopped task says which it was, and whether your code had begun", async () => {
    const { clock, sessions } = world({ timeouts: { grace: 100 } })
    const first = errorOf(sessions.run("a", () => gate().promise, { name: "first", timeout: 500 }))
    const second = errorOf(sessions.run("a", serialOf, { name: "second", timeout: 400 }))
    await clock.advance(500)
    expect(await second).toMatchObject({ reason: "Timeout", started: false, abandoned: false })
    expect((await second) as TaskStopped).toHaveProperty("task.name", "second")
    expect(await first).toMatchObject({ reason: "Timeout", started: true, abandoned: false })
    const hung = errorOf(sessions.run("b", () => gate().promise, { name: "hung" }))
    await settle()
    void sessions.close("b")
    await clock.advance(100)
    expect(await hung).toMatchObject({ reason: "Closed", started: true, abandoned: true })
  })

  test("L17: a task's own error is the very object, whatever it is", async () => {
    const { sessions } = world()
    const own: ReadonlyArray<unknown> = [
      new TypeError("mine"),
      { plain: true },
      "text",
      Object.freeze(new Error("frozen")),
    ]
    for (const error of own) {
      expect(await errorOf(sessions.run("a", () => Promise.reject(error)))).toBe(error)
      expect(isSessionError(error)).toBe(false)
    }
    const inner = (await errorOf(
      sessions.run("a", () => sessions.run("b", serialOf, { mustExist: true })),
    )) as SessionRefused
    expect([inner.reason, inner.session.key]).toEqual(["NotFound", "b"])
  })

  test("L17, L10: what `open` threw is the cause itself, told to each who waited", async () => {
    const cause = new Error("no database")
    const { sessions } = world({ restart: { delay: 1000 } }, () => {
      throw cause
    })
    const told = await Promise.all([errorOf(sessions.run("a", serialOf)), errorOf(sessions.lease("a"))])
    for (const error of told as ReadonlyArray<SessionOpenFailed>) {
      expect(error).toBeInstanceOf(SessionOpenFailed)
      expect(error.cause).toBe(cause)
      expect(error).toMatchObject({
        reason: "Failed",
        retryAfter: 750,
        session: { key: "a", generation: 1, serial: 1 },
      })
      expect(error.explanation.errors.at(-1)).toMatchObject({ in: "open", error: cause })
    }
  })

  test("L17, L10: an opening past its deadline says so", async () => {
    const { clock, sessions } = world({ timeouts: { open: 100 } }, ({ signal }) => stopped(signal))
    const told = errorOf(sessions.run("a", serialOf))
    await clock.advance(100)
    expect(await told).toMatchObject({ _tag: "SessionOpenFailed", reason: "TimedOut" })
  })
})

const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )
