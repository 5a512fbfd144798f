import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L5, L23: the caller's timeout comes before the queue's deadline, though that clock was set first", async () => {
    const { clock, sessions } = world({ timeouts: { queue: 700 } })
    const held = gate()
    const first = sessions.run("a", () => held.promise)
    await settle()
    const queued = watch(
      clock,
      sessions.run("a", () => 2, { timeout: 700 }),
    )
    await clock.advance(700)
    expect([queued.outcome, queued.at, fieldOf(queued, "started")]).toEqual([
      "TaskStopped Timeout",
      700,
      false,
    ])
    held.open()
    await first
  })

  test("L5, L23: the caller's timeout comes before silence: nobody is told `Silent`", async () => {
    const { clock, sessions, story } = world({ timeouts: { silence: 700, grace: 100 } })
    const run = watch(
      clock,
      sessions.run("a", () => clock.after(750), { timeout: 700 }),
    )
    await clock.advance(2000)
    expect([run.outcome, run.at, fieldOf(run, "abandoned")]).toEqual(["TaskStopped Timeout", 700, false])
    expect(story()).toEqual(["Opening", "Opened"])
  })

  test("L5, L23: silence comes before the end of a drain's time: its cause is the one that is told", async () => {
    const { clock, sessions } = world({ timeouts: { silence: 700, grace: 100, close: 100 } })
    const run = watch(
      clock,
      sessions.run("a", async () => {
        await clock.after(750)
        throw new Error("stopped")
      }),
    )
    await settle()
    void sessions.drain({ finishWithin: 700 })
    await clock.advance(2000)
    expect([run.outcome, run.at]).toEqual(["TaskStopped Silent", 750])
  })

  test("L5, L23: the grace of the slot and the timeout of who needs it in one tick: it leaves, nothing is torn down", async () => {
    const { clock, sessions, story } = world({ timeouts: { silence: 60_000, grace: 1000 } })
    const gone = new AbortController()
    const held = gate()
    void sessions.run("a", () => held.promise, { signal: gone.signal }).catch(() => {})
    await settle()
    gone.abort(new Error("gone"))
    const needs = watch(
      clock,
      sessions.run("a", () => 2, { timeout: 1000 }),
    )
    await clock.advance(5000)
    expect([needs.outcome, needs.at]).toEqual(["TaskStopped Timeout", 1000])
    expect(story()).toEqual(["Opening", "Opened"])
    held.open()
  })
})
