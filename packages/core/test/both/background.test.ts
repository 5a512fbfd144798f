import { describe, expect, test } from "vitest"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  test("L2, L8: work in the background outlives its turn, takes no slot, and holds the session until it ends", async () => {
    const it = world({ idleTimeout: 5000, timeouts })
    const { clock, sessions, story } = it
    const work = gate()
    expect(await sessions.run("a", (_, { background }) => background("index", () => work.promise))).toBe(true)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
    await clock.advance(20_000)
    expect(story()).toEqual(["Opening", "Opened"])
    expect(sessions.explain("a").alive).toMatchObject([{ kind: "background", name: "index" }])
    expect(sessions.explain("a").tasks).toMatchObject([
      { kind: "background", name: "index", state: "running" },
    ])
    work.open()
    await clock.advance(4999)
    expect(story()).toEqual(["Opening", "Opened"])
    await clock.advance(1)
    expect(story()).toEqual(["Opening", "Opened", "Closing Idle", "Closed Idle"])
    await expectNothingLeft(it)
  })

  test("L2: it ends with the session: told to stop, waited for, before the release", async () => {
    const { clock, ledger, sessions } = world({ timeouts })
    await sessions.run("a", (_, { background }) =>
      background("index", async ({ signal }) => {
        signal.addEventListener("abort", () => ledger.lines.push(`told at ${clock.now}`))
        await clock.after(300)
        ledger.lines.push("ended")
      }),
    )
    await clock.advance(100)
    void sessions.close("a")
    await clock.advance(1000)
    expect(ledger.lines).toEqual(["open a#1", "told at 100", "ended", "release a#1"])
  })

  test("L2: on a session that is ending it is not begun: false", async () => {
    const { clock, sessions } = world({ timeouts })
    const seen: Array<boolean> = []
    const run = watch(
      clock,
      sessions.run("a", async (_, { background }) => {
        await clock.after(100)
        seen.push(background("too late", () => void seen.push(true)))
        throw new Error("stopped")
      }),
    )
    await settle()
    void sessions.close("a", { finishWithin: 5000 })
    await clock.advance(10)
    void sessions.close("a")
    await clock.advance(1000)
    expect(run.outcome).toBe("TaskStopped Closed")
    expect(seen).toEqual([false])
  })

  test("L2: also once a graceful close has begun", async () => {
    const { clock, sessions } = world({ timeouts })
    const seen: Array<boolean> = []
    const run = watch(
      clock,
      sessions.run("a", async (_, { background }) => {
        await clock.after(100)
        seen.push(background("too late", () => 1))
        return "done"
      }),
    )
    await settle()
    void sessions.close("a", { finishWithin: 5000 })
    await clock.advance(1000)
    expect([run.outcome, seen]).toEqual(["value done", [false]])
  })

  test("L21: after the task's end nothing can be begun in its name", async () => {
    const { sessions } = world({ timeouts })
    const tasks: Array<Task> = []
    await sessions.run("a", (_, task) => void tasks.push(task))
    expect(() => tasks[0]?.background("late", () => 1)).toThrow(
      expect.objectContaining({ reason: "TaskEnded" }),
    )
    expect(() => tasks[0]?.progress()).toThrow(expect.objectContaining({ reason: "TaskEnded" }))
    expect(() => tasks[0]?.close()).toThrow(expect.objectContaining({ reason: "TaskEnded" }))
    expect(() => tasks[0]?.restart()).toThrow(expect.objectContaining({ reason: "TaskEnded" }))
  })

  test("L5: its failure is an event and in `explain`, never a rejection", async () => {
    const { clock, events, sessions } = world({ timeouts })
    const boom = new Error("boom")
    await sessions.run("a", (_, { background }) => background("index", () => Promise.reject(boom)))
    await clock.advance(0)
    expect(events.findLast((event) => event._tag === "TaskEnded")).toMatchObject({
      task: { kind: "background", name: "index" },
      outcome: "failed",
      error: boom,
    })
    expect(sessions.explain("a").errors.map(({ error }) => error)).toContain(boom)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L8, L13: it cannot hold a session for ever: silent, it is abandoned and the session idles out", async () => {
    const { clock, sessions, story } = world({ idleTimeout: 5000, timeouts })
    await sessions.run("a", (_, { background }) => background("never", () => gate().promise))
    await clock.advance(61_000)
    expect(story()).toEqual(["Opening", "Opened"])
    expect(sessions.explain("a").alive).toEqual([])
    await clock.advance(5000)
    expect(story()).toEqual(["Opening", "Opened", "Closing Idle"])
  })

  test("L7: it may call its own session, and its own nested calls stop with it", async () => {
    const { clock, sessions } = world({ timeouts })
    const seen: Array<unknown> = []
    await sessions.run("a", (_, { background }) =>
      background("poll", async () => {
        seen.push(await sessions.run("a", ({ serial }) => serial))
        try {
          await sessions.run("b", () => clock.after(50_000))
        } catch (error) {
          seen.push(Reflect.get(Object(error), "reason"))
          throw error
        }
      }),
    )
    await clock.advance(100)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(0)
    expect(seen).toEqual([1, "CallerStopped"])
    expect(closed.at).toBe(100)
  })

  test("L2: work begun in the background may begin more, while it runs", async () => {
    const { clock, sessions } = world({ timeouts })
    const seen: Array<string> = []
    await sessions.run("a", (_, task) =>
      task.background("one", async (own) => {
        await clock.after(10)
        own.background("two", async () => {
          await clock.after(10)
          seen.push("two")
        })
        seen.push("one")
      }),
    )
    await clock.advance(100)
    expect(seen).toEqual(["one", "two"])
  })
})
