import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  test("L5: cancel stops what runs and what waits, told at once; it counts them and waits for their end", async () => {
    const it = world({ timeouts })
    const { clock, sessions, story } = it
    const runs = [0, 1, 2].map(() =>
      watch(
        clock,
        sessions.run("a", () => clock.after(400)),
      ),
    )
    await clock.advance(100)
    const cancelled = watch(clock, sessions.cancel("a"))
    await settle()
    expect(runs.map((run) => [run.outcome, run.at, fieldOf(run, "started")])).toEqual([
      ["TaskStopped Cancelled", 100, true],
      ["TaskStopped Cancelled", 100, false],
      ["TaskStopped Cancelled", 100, false],
    ])
    expect(cancelled.outcome).toBe("pending")
    await clock.advance(300)
    expect([cancelled.outcome, cancelled.at]).toEqual(["value 3", 400])
    expect(story()).toEqual(["Opening", "Opened"])
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
    await expectNothingLeft(it)
  })

  test("L5: it waits for work that does not end at most `grace`, and tears nothing down", async () => {
    const { clock, sessions, story } = world({ timeouts })
    void sessions.run("a", () => gate().promise).catch(() => {})
    await clock.advance(100)
    const cancelled = watch(clock, sessions.cancel("a"))
    await clock.advance(5000)
    expect([cancelled.outcome, cancelled.at]).toEqual(["value 1", 1100])
    expect(story()).toEqual(["Opening", "Opened"])
  })

  test("L5: one task by its id; the others go on", async () => {
    const { clock, sessions } = world({ timeouts, concurrency: 2 })
    const ids: Array<string> = []
    const runs = [0, 1].map(() =>
      watch(
        clock,
        sessions.run("a", async (_, { id }) => {
          ids.push(id)
          await clock.after(400)
        }),
      ),
    )
    const queued = watch(
      clock,
      sessions.run("a", () => "queued"),
    )
    await clock.advance(100)
    const [, second] = ids
    const cancelled = watch(clock, sessions.cancel("a", { task: second }))
    const waiting = sessions.explain("a").tasks.find((task) => task.state === "queued")
    expect(await sessions.cancel("a", { task: waiting?.id })).toBe(1)
    expect(await sessions.cancel("a", { task: "no such task" })).toBe(0)
    await clock.advance(400)
    expect([...runs, queued].map((run) => run.outcome)).toEqual([
      "value undefined",
      "TaskStopped Cancelled",
      "TaskStopped Cancelled",
    ])
    expect(cancelled.outcome).toBe("value 1")
  })

  test("L5: nothing runs: 0, and nothing is opened", async () => {
    const { ledger, sessions } = world({ timeouts })
    expect(await sessions.cancel("a")).toBe(0)
    await sessions.run("b", () => 1)
    expect(await sessions.cancel("b")).toBe(0)
    expect(ledger.opened).toBe(1)
  })

  test("L5: cancelled twice, it counts once", async () => {
    const { clock, sessions } = world({ timeouts })
    void sessions.run("a", () => clock.after(400)).catch(() => {})
    await clock.advance(100)
    const both = [watch(clock, sessions.cancel("a")), watch(clock, sessions.cancel("a"))]
    await clock.advance(1000)
    expect(both.map((one) => one.outcome)).toEqual(["value 1", "value 0"])
  })

  test("L5, L1: it cancels those who wait for an open, and so the open", async () => {
    const held = gate()
    const { clock, sessions, story } = world({ timeouts }, () => held.promise)
    const run = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await settle()
    expect(await sessions.cancel("a")).toBe(1)
    held.open()
    await clock.advance(0)
    expect(run.outcome).toBe("TaskStopped Cancelled")
    expect(story()).toEqual(["Opening", "Closed OpenCancelled"])
  })

  test("L5, L7: from inside, it stops the turn it is called in as well, and does not wait for it", async () => {
    const { clock, sessions } = world({ timeouts, concurrency: 2 })
    const seen: Array<number> = []
    const other = watch(
      clock,
      sessions.run("a", () => clock.after(100)),
    )
    const caller = watch(
      clock,
      sessions.run("a", async () => {
        seen.push(await sessions.cancel("a"), clock.now)
      }),
    )
    await clock.advance(1000)
    expect([other.outcome, caller.outcome]).toEqual(["TaskStopped Cancelled", "TaskStopped Cancelled"])
    expect(seen).toEqual([2, 100])
  })

  test("L5: work in the background is not cancelled, unless it is named", async () => {
    const { clock, sessions } = world({ timeouts })
    const ids: Array<string> = []
    await sessions.run("a", (_, { background }) =>
      background("index", (own) => {
        ids.push(own.id)
        return clock.after(5000)
      }),
    )
    expect(await sessions.cancel("a")).toBe(0)
    const named = watch(clock, sessions.cancel("a", { task: ids[0] }))
    await clock.advance(900)
    expect(sessions.explain("a").tasks).toMatchObject([{ kind: "background", state: "cancelled" }])
    await clock.advance(100)
    expect(named.outcome).toBe("value 1")
  })
})
