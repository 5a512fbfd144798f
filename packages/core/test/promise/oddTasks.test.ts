import { describe, expect, test } from "vitest"
import { TaskStopped } from "../../src/errors.ts"
import { gate, world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }
const stops = ["close", "restart", "drain"] as const

describe("Promise face", () => {
  test.each(stops)(
    "L5: told to stop by us (%s), work that still returns a value has succeeded",
    async (verb) => {
      const { clock, events, sessions } = world({ timeouts })
      const run = watch(
        clock,
        sessions.run("a", async (_, { signal }) => {
          await clock.after(500)
          return `finished, aborted ${signal.aborted}`
        }),
      )
      await clock.advance(100)
      void (verb === "drain" ? sessions.drain({ finishWithin: 0 }) : sessions[verb]("a"))
      await clock.advance(400)
      expect([run.outcome, run.at]).toEqual(["value finished, aborted true", 500])
      expect(events.find((event) => event._tag === "TaskEnded")).toMatchObject({ outcome: "succeeded" })
    },
  )

  test.each(stops)(
    "L5: told to stop by us (%s), work that throws is interrupted, with what it threw as the cause",
    async (verb) => {
      const { clock, sessions } = world({ timeouts })
      const own = new Error("its own")
      const run = watch(
        clock,
        sessions.run("a", async () => {
          await clock.after(500)
          throw own
        }),
      )
      await clock.advance(100)
      void (verb === "drain" ? sessions.drain({ finishWithin: 0 }) : sessions[verb]("a"))
      await clock.advance(400)
      expect(run.error).toBeInstanceOf(TaskStopped)
      expect([fieldOf(run, "cause"), fieldOf(run, "started"), fieldOf(run, "abandoned")]).toEqual([
        own,
        true,
        false,
      ])
    },
  )

  test("L5, L13: silent, told to stop, and it returns within grace: it has succeeded; later: it has not", async () => {
    const { clock, sessions } = world({ timeouts })
    const inTime = watch(
      clock,
      sessions.run("a", () => clock.after(60_900).then(() => "in time")),
    )
    await clock.advance(61_000)
    expect([inTime.outcome, inTime.at]).toEqual(["value in time", 60_900])
    const late = watch(
      clock,
      sessions.run("a", () => clock.after(61_100).then(() => "late")),
    )
    await clock.advance(62_000)
    expect(late.outcome).toBe("TaskStopped Silent")
  })

  test("L5, L17: the task sees why: `signal.reason` is the TaskStopped, or the caller's own reason", async () => {
    const { clock, sessions } = world({ timeouts, concurrency: 20 })
    const reasons: Array<unknown> = []
    const start = (options: Parameters<typeof sessions.run>[2] = {}) =>
      watch(
        clock,
        sessions.run(
          "a",
          async (_, { signal }) => {
            await new Promise((resolve) => signal.addEventListener("abort", resolve))
            reasons.push(signal.reason)
            throw signal.reason
          },
          options,
        ),
      )
    const caller = new AbortController()
    const left = start({ signal: caller.signal })
    const late = start({ timeout: 10 })
    const cancelled = start()
    await settle()
    const own = new Error("the caller's own")
    caller.abort(own)
    await clock.advance(10)
    void sessions.cancel("a")
    await settle()
    const closed = start()
    await settle()
    void sessions.close("a")
    await clock.advance(0)
    expect(left.error).toBe(own)
    expect(reasons[0]).toBe(own)
    expect([late, cancelled, closed].map((run) => run.outcome)).toEqual([
      "TaskStopped Timeout",
      "TaskStopped Cancelled",
      "TaskStopped Closed",
    ])
    expect(reasons[1]).toBe(late.error)
    expect(reasons[2]).toBe(cancelled.error)
    expect(reasons[3]).toMatchObject({ _tag: "TaskStopped", reason: "Closed", started: true })
  })

  test("L5: success does not abort the task's signal", async () => {
    const { clock, sessions } = world({ timeouts })
    const signals: Array<AbortSignal> = []
    await sessions.run("a", (_, { signal }) => void signals.push(signal))
    void sessions.close("a")
    await clock.advance(100)
    expect(signals[0]?.aborted).toBe(false)
  })

  test("L5: a task that throws at once, and one that returns at once", async () => {
    const { sessions } = world({ timeouts })
    const boom = new Error("boom")
    await expect(
      sessions.run("a", () => {
        throw boom
      }),
    ).rejects.toBe(boom)
    expect(await sessions.run("a", () => "value")).toBe("value")
  })

  test("L5, L6: a thenable that is no promise is awaited, and holds its slot meanwhile", async () => {
    const { clock, sessions } = world({ timeouts })
    const held = gate<string>()
    const thenable = { then: (resolve: (value: string) => void) => void held.promise.then(resolve) }
    const first = watch(
      clock,
      sessions.run("a", () => thenable as unknown as Promise<string>),
    )
    const second = watch(
      clock,
      sessions.run("a", () => 2),
    )
    await settle()
    expect([first.outcome, second.outcome]).toEqual(["pending", "pending"])
    held.open("from a thenable")
    await clock.advance(0)
    expect([first.outcome, second.outcome]).toEqual(["value from a thenable", "value 2"])
  })

  test("L5: a thenable that settles twice, throws after it settled, or rejects", async () => {
    const { sessions } = world({ timeouts })
    const twice = {
      then: (resolve: (value: string) => void, reject: (error: unknown) => void) => {
        resolve("first")
        resolve("second")
        reject(new Error("third"))
        throw new Error("fourth")
      },
    }
    expect(await sessions.run("a", () => twice as unknown as Promise<string>)).toBe("first")
    const rejecting = { then: (_: unknown, reject: (error: unknown) => void) => reject("own") }
    await expect(sessions.run("a", () => rejecting as unknown as Promise<string>)).rejects.toBe("own")
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L5, L20: a getter `then` that throws is the task's own failure, and frees its slot", async () => {
    const { sessions } = world({ timeouts })
    const boom = new Error("boom")
    const trap = {
      get then() {
        throw boom
      },
    }
    await expect(sessions.run("a", () => trap as never)).rejects.toBe(boom)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L20: a getter `then` that calls back in is no part of a step", async () => {
    const { clock, sessions } = world({ timeouts })
    const order: Array<string> = []
    const inner: Array<Promise<unknown>> = []
    const sly = {
      get then() {
        inner.push(sessions.run("a", () => order.push("inner"), { detach: true }))
        return undefined
      },
    }
    const first = sessions.run("a", () => sly)
    const second = sessions.run("a", () => order.push("second"))
    await clock.advance(0)
    await Promise.all([first, second, ...inner])
    expect(order[0]).toBe("second")
    expect(order.slice(1).every((name) => name === "inner")).toBe(true)
  })

  test("L17: a task that is no function is a misuse, and opens nothing", async () => {
    const { ledger, sessions } = world({ timeouts })
    await expect(sessions.run("a", undefined as never)).rejects.toMatchObject({ reason: "InvalidOption" })
    await expect(sessions.run("a", "no function" as never, {})).rejects.toMatchObject({
      reason: "InvalidOption",
    })
    expect(ledger.opened).toBe(0)
  })

  test("L17: wrong arguments are told before anything else, also when the caller has left already", async () => {
    const { sessions } = world({ timeouts })
    const gone = { signal: AbortSignal.abort(new Error("gone")) }
    await expect(sessions.run("", () => 1, gone)).rejects.toMatchObject({ reason: "InvalidKey" })
    await expect(sessions.run("a", () => 1, { ...gone, timeout: -1 })).rejects.toMatchObject({
      reason: "InvalidOption",
    })
    void sessions.drain()
    await expect(sessions.run("", () => 1)).rejects.toMatchObject({ reason: "InvalidKey" })
  })
})

test("L5: a turn that aborts its own caller's signal is cancelled, though it returns in the same step", async () => {
  const { registry, sessions } = world()
  await sessions.run("a", () => {})
  const caller = new AbortController()
  const told = sessions.run("a", () => caller.abort("enough"), { signal: caller.signal })
  await expect(told).rejects.toBe("enough")
  expect(registry.monitor.outcomes).toMatchObject({ succeeded: 1, cancelled: 1 })
  expect(await sessions.run("a", () => "goes on")).toBe("goes on")
})
