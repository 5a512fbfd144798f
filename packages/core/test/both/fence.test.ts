import { describe, expect, test } from "vitest"
import type { Opening, Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 2000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  test("L21: what an old generation says of itself changes nothing, in any state of the next one", async () => {
    const openings: Array<Opening> = []
    const it = world({ timeouts }, (opening) => {
      openings.push(opening)
      return it.clock.after(10)
    })
    const { clock, sessions, story } = it
    const open = (): Promise<unknown> => sessions.run("a", () => 1)
    const accuse = (): void => {
      openings[0]?.broken(new Error("too late"))
      openings[0]?.end()
    }
    void open()
    await clock.advance(10)
    void sessions.restart("a")
    accuse()
    await clock.advance(0)
    accuse()
    const next = watch(clock, open())
    await settle()
    accuse()
    await clock.advance(10)
    accuse()
    await clock.advance(100)
    expect(next.outcome).toBe("value 1")
    expect(story()).toEqual([
      "Opening",
      "Opened",
      "Closing Restarted",
      "Closed Restarted",
      "Opening",
      "Opened",
    ])
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(2)
  })

  test("L21: identity decides, not the number: a generation 1 of an earlier stay is not generation 1 of this one", async () => {
    const openings: Array<Opening> = []
    const { clock, sessions, story } = world({ timeouts }, (opening) => void openings.push(opening))
    await sessions.run("a", () => 1)
    void sessions.close("a")
    await clock.advance(0)
    expect(await sessions.run("a", (_, { session }) => [session.generation, session.serial])).toEqual([1, 2])
    openings[0]?.broken(new Error("too late"))
    await clock.advance(100)
    expect(story().at(-1)).toBe("Opened")
  })

  test("L21, L11: said twice, a loss counts once", async () => {
    const openings: Array<Opening> = []
    const { clock, registry, sessions } = world(
      { timeouts, restart: { times: 1 } },
      (opening) => void openings.push(opening),
    )
    await sessions.run("a", () => 1)
    for (let n = 0; n < 5; n++) openings[0]?.broken(new Error(`loss ${n}`))
    await clock.advance(100)
    expect(registry.monitor.lost).toBe(1)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(2)
  })

  test("L21: what is registered too late is released at once, and once", async () => {
    const openings: Array<Opening> = []
    const released: Array<string> = []
    const { clock, sessions } = world({ timeouts }, (opening) => void openings.push(opening))
    await sessions.run("a", () => 1)
    void sessions.close("a")
    await clock.advance(0)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(2)
    openings[0]?.onClose(() => released.push("finalizer"))
    void openings[0]?.use(Promise.resolve("late"), (resource) => released.push(resource)).catch(() => {})
    await clock.advance(0)
    expect(released).toEqual(["finalizer", "late"])
    void sessions.close("a")
    await clock.advance(0)
    expect(released).toEqual(["finalizer", "late"])
  })

  test("L21: an abandoned turn can no longer report, start work, or ask for an end", async () => {
    const it = world({ timeouts })
    const { clock, sessions, story } = it
    const tasks: Array<Task> = []
    const held = gate()
    const silent = watch(
      clock,
      sessions.run("a", (_, task) => {
        tasks.push(task)
        return held.promise
      }),
    )
    await clock.advance(3000)
    const next = sessions.run("a", ({ serial }) => serial)
    await clock.advance(3000)
    expect(await next).toBe(2)
    const before = story().length
    const [task] = tasks
    expect(silent.outcome).toBe("TaskStopped Silent")
    expect(() => task?.progress()).toThrow("The task is over")
    expect(() => task?.background("more", () => 1)).toThrow("The task is over")
    expect(() => task?.close()).toThrow("The task is over")
    expect(() => task?.restart()).toThrow("The task is over")
    task?.broken(new Error("too late"))
    await clock.advance(100)
    expect(story()).toHaveLength(before)
    held.fail(new Error("too late as well"))
    await clock.advance(0)
    expect(silent.outcome).toBe("TaskStopped Silent")
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(2)
    await expectNothingLeft(it)
  })

  test("L21, L1: an open that was given up and ends late serves nobody and disturbs nobody", async () => {
    const held = gate()
    const it = world({ timeouts: { ...timeouts, open: 500 } }, ({ serial }) =>
      serial === 1 ? held.promise : undefined,
    )
    const first = watch(
      it.clock,
      it.sessions.run("a", () => 1),
    )
    await it.clock.advance(500)
    expect(first.outcome).toBe("SessionOpenFailed TimedOut")
    await it.clock.advance(60_000)
    expect(await it.sessions.run("a", ({ serial }) => serial)).toBe(2)
    held.open()
    await it.clock.advance(0)
    expect(it.ledger.live).toBe(1)
    expect(await it.sessions.run("a", ({ serial }) => serial)).toBe(2)
    await expectNothingLeft(it)
  })
})
