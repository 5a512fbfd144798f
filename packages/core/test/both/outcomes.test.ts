import { describe, expect, test } from "vitest"
import { TaskStopped } from "../../src/errors.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch, type Watched } from "../support/watch.ts"

const timeouts = { silence: 10_000, grace: 1000, close: 3000 }
const facts = (run: Watched): ReadonlyArray<unknown> => [
  run.outcome,
  run.at,
  fieldOf(run, "started"),
  fieldOf(run, "abandoned"),
]

describe.each(faces)("$face", ({ world }) => {
  test.each(["Closed", "Restarted", "Drained", "Broken"] as const)(
    "L5: %s: a turn we stop is told when its work has ended",
    async (reason) => {
      const { clock, events, sessions } = world({ timeouts })
      const things: Array<{ readonly broken: () => void }> = []
      const run = watch(
        clock,
        sessions.run("a", async ({ opening }) => {
          things.push(opening)
          await clock.after(400)
          throw new Error("told to stop")
        }),
      )
      await clock.advance(100)
      if (reason === "Closed") void sessions.close("a")
      if (reason === "Restarted") void sessions.restart("a")
      if (reason === "Drained") void sessions.drain({ finishWithin: 0 })
      if (reason === "Broken") things[0]?.broken()
      await clock.advance(1000)
      expect(facts(run)).toEqual([`TaskStopped ${reason}`, 400, true, false])
      expect(run.error).toBeInstanceOf(TaskStopped)
      const ended = events.filter((event) => event._tag === "TaskEnded")
      expect(ended).toMatchObject([{ outcome: "interrupted", error: run.error }])
    },
  )

  test.each(["Closed", "Restarted", "Drained", "Broken"] as const)(
    "L5: %s: work that does not end is told at grace, as abandoned",
    async (reason) => {
      const { clock, sessions } = world({ timeouts })
      const things: Array<{ readonly broken: () => void }> = []
      const run = watch(
        clock,
        sessions.run("a", ({ opening }) => {
          things.push(opening)
          return gate().promise
        }),
      )
      await clock.advance(100)
      if (reason === "Closed") void sessions.close("a")
      if (reason === "Restarted") void sessions.restart("a")
      if (reason === "Drained") void sessions.drain({ finishWithin: 0 })
      if (reason === "Broken") things[0]?.broken()
      await clock.advance(1000)
      expect(facts(run)).toEqual([`TaskStopped ${reason}`, 1100, true, true])
    },
  )

  test("L5: `timeout` is the caller's clock: told at once, and it covers waiting for the open and for the turn", async () => {
    const opened = gate()
    const { clock, ledger, sessions } = world({ timeouts, concurrency: 2 }, ({ key }) =>
      key === "a" ? opened.promise : undefined,
    )
    const opening = watch(
      clock,
      sessions.run("a", () => 1, { timeout: 300 }),
    )
    const running = [1, 2].map(() =>
      watch(
        clock,
        sessions.run("b", () => clock.after(800), { timeout: 500 }),
      ),
    )
    const queued = watch(
      clock,
      sessions.run("b", () => 3, { timeout: "400 millis" }),
    )
    await clock.advance(2000)
    expect(facts(opening)).toEqual(["TaskStopped Timeout", 300, false, false])
    expect(running.map(facts)).toEqual([
      ["TaskStopped Timeout", 500, true, false],
      ["TaskStopped Timeout", 500, true, false],
    ])
    expect(facts(queued)).toEqual(["TaskStopped Timeout", 400, false, false])
    opened.open()
    await clock.advance(0)
    expect(ledger.lines).not.toContain("open a#2")
  })

  test("L5: `timeout` covers waiting for a seat", async () => {
    const { clock, sessions } = world({ timeouts, maxSessions: 1 })
    const held = gate()
    const first = sessions.run("a", () => held.promise)
    await settle()
    const waits = watch(
      clock,
      sessions.run("b", () => 2, { timeout: 700 }),
    )
    await clock.advance(1000)
    expect(facts(waits)).toEqual(["TaskStopped Timeout", 700, false, false])
    expect(sessions.explain("b").state).toBe("Closed")
    held.open()
    await first
  })

  test("L5: a timeout that would come after the end changes nothing", async () => {
    const { clock, sessions } = world({ timeouts })
    expect(await sessions.run("a", () => "in time", { timeout: 10 })).toBe("in time")
    await clock.advance(1000)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L5: a turn waits for its turn at most `timeouts.queue`", async () => {
    const { clock, sessions } = world({ timeouts: { ...timeouts, silence: "Infinity", queue: 2000 } })
    const held = gate()
    const first = sessions.run("a", () => held.promise)
    await settle()
    const queued = watch(
      clock,
      sessions.run("a", () => 2),
    )
    await clock.advance(5000)
    expect([queued.outcome, queued.at]).toEqual(["SessionRefused QueueTimeout", 2000])
    held.open()
    await first
  })

  test("L5: a signal that was aborted before the call opens nothing", async () => {
    const { clock, events, ledger, sessions } = world({ timeouts })
    const run = watch(
      clock,
      sessions.run("a", () => 1, { signal: AbortSignal.abort(new Error("gone before")) }),
    )
    await clock.advance(0)
    expect(run.outcome).toBe("error gone before")
    expect(ledger.opened).toBe(0)
    expect(events.filter((event) => event._tag === "Opening")).toEqual([])
    expect(sessions.snapshot().sessions).toEqual([])
  })

  test("L5: cancelled, and its work returns later: cancelled it stays, and the slot is free then", async () => {
    const { clock, events, sessions } = world({ timeouts })
    const gone = new AbortController()
    const run = watch(
      clock,
      sessions.run("a", () => clock.after(500), { signal: gone.signal }),
    )
    const next = watch(
      clock,
      sessions.run("a", () => "next"),
    )
    await clock.advance(100)
    gone.abort(new Error("gone"))
    await clock.advance(800)
    expect([run.outcome, run.at]).toEqual(["error gone", 100])
    expect([next.outcome, next.at]).toEqual(["value next", 500])
    const outcomes = events.flatMap((event) => (event._tag === "TaskEnded" ? [event.outcome] : []))
    expect(outcomes).toEqual(["cancelled", "succeeded"])
  })

  test("L5: the first cause decides: a timeout, then a close, then the work's own error", async () => {
    const { clock, events, sessions } = world({ timeouts })
    const run = watch(
      clock,
      sessions.run(
        "a",
        async () => {
          await clock.after(600)
          throw new Error("its own")
        },
        { timeout: 200 },
      ),
    )
    await clock.advance(400)
    void sessions.close("a")
    await clock.advance(5000)
    expect(facts(run)).toEqual(["TaskStopped Timeout", 200, true, false])
    expect(events.filter((event) => event._tag === "TaskEnded")).toHaveLength(1)
  })

  test("L5, L17: a task's own error passes untouched, and is `failed`", async () => {
    const { clock, events, sessions } = world({ timeouts })
    const own = { not: "even an Error" }
    const run = watch(
      clock,
      sessions.run("a", () => Promise.reject(own)),
    )
    await clock.advance(0)
    expect(run.error).toBe(own)
    expect(events.find((event) => event._tag === "TaskEnded")).toMatchObject({
      outcome: "failed",
      error: own,
    })
  })
})
