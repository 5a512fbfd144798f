import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect, test } from "vitest"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { start } from "../effect/support.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing } from "../support/ledger.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  /** Calls that run on the first generation until they are stopped, and give its serial on a later one. */
  const replaying = (policy: Policy = {}, before?: Parameters<typeof world>[1]) => {
    const things: Array<Thing> = []
    const starts: Array<string> = []
    const w = world({ timeouts, idleTimeout: "Infinity", ...policy }, before)
    const call = (
      name: string,
      work: (thing: Thing, task: Task) => unknown = ({ serial }, { signal }) =>
        serial === 1 ? untilStopped(signal) : serial,
      options: RunOptions = {},
    ): Watched =>
      watch(
        w.clock,
        w.sessions.run(
          "a",
          (thing, task) => {
            things.push(thing)
            starts.push(`${name} on ${thing.serial} at ${w.clock.now}`)
            return work(thing, task)
          },
          { name, idempotent: true, ...options },
        ),
      )
    const lose = (): void => things.at(-1)?.opening.broken(new Error("lost"))
    /** Cut at 10 by a loss; until 510 it waits for the old generation to go. */
    return { ...w, call, lose, starts, things }
  }
  test("L12: its signal is a fresh one in the second run, and is that run's own", async () => {
    const signals: Array<AbortSignal> = []
    const { call, clock, lose, sessions } = replaying()
    const cut = call("cut", (_, { signal }) => {
      signals.push(signal)
      return untilStopped(signal)
    })
    await clock.advance(10)
    lose()
    await clock.advance(10)
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false])
    expect(signals[0]).not.toBe(signals[1])
    void sessions.close("a")
    await clock.advance(0)
    expect(signals[1]?.aborted).toBe(true)
    expect(cut.outcome).toBe("TaskStopped Closed")
  })

  test("L12, L20: stopped in the step in which it ends: what was to be told to its first run is not told to the second", async () => {
    const { call, clock, starts } = replaying({ concurrency: 2 })
    // Both begin with the opening: the first one breaks the resource before the second one has even been called.
    const breaks = call("breaks", ({ opening }) => opening.broken(), { idempotent: false })
    const signals: Array<boolean> = []
    const cut = call("cut", ({ serial }, { signal }) => {
      if (serial === 1) throw new Error("target closed")
      signals.push(signal.aborted)
      return clock.after(10).then(() => (signal.aborted ? "stopped" : "whole"))
    })
    await clock.advance(100)
    expect([breaks.outcome, cut.outcome, signals]).toEqual(["value undefined", "value whole", [false]])
    expect(starts.filter((line) => line.startsWith("cut"))).toHaveLength(2)
  })

  test.each<readonly [string, (task: Task) => unknown]>([
    ["broken", (task) => task.broken()],
    ["close", (task) => task.close()],
    ["restart", (task) => task.restart()],
    ["background", (task) => task.background("late", () => gate().promise)],
    ["progress", (task) => task.progress("late")],
    ["signal", ({ signal }) => expect(signal.aborted).toBe(true)],
  ])(
    "L21: %s, called late by what its first run left behind, does nothing to the second run or its generation",
    async (name, late) => {
      const tasks: Array<Task> = []
      const w: ReturnType<typeof replaying> = replaying({}, (opening) => {
        if (opening.serial === 1) opening.onClose(() => w.clock.after(100))
      })
      const { call, clock, lose, sessions, story } = w
      const ends = gate()
      const attempt = (): void => {
        try {
          if (tasks[0] !== undefined) late(tasks[0])
        } catch (error) {
          // Saying that it has ended is as good as doing nothing.
          expect(error).toMatchObject({ reason: "TaskEnded" })
        }
      }
      const cut = call(
        "cut",
        ({ serial }, task) => {
          tasks.push(task)
          return serial === 1
            ? untilStopped(task.signal)
            : Promise.race([ends.promise, untilStopped(task.signal)])
        },
        { silence: 1000 },
      )
      await clock.advance(10)
      lose()
      await clock.advance(50)
      attempt()
      expect(sessions.explain("a").alive.map((one) => one.kind)).toEqual(["waiter"])
      await clock.advance(650)
      attempt()
      expect(sessions.explain("a").alive.map((one) => one.kind)).toEqual(["turn"])
      await clock.advance(300)
      if (name === "progress") {
        await clock.advance(100)
        expect([cut.outcome, cut.at]).toEqual(["TaskStopped Silent", 1110])
      } else {
        ends.open()
        await clock.advance(10)
        expect(cut.outcome).toBe("value undefined")
      }
      expect(story().filter((tag) => tag === "Lost")).toHaveLength(1)
      expect(sessions.explain("a")).toMatchObject({ state: "Ready", session: { serial: 2 }, alive: [] })
      await expectNothingLeft(w)
    },
  )

  test("L13: its silence is watched in the second run as in the first", async () => {
    const { call, clock, lose } = replaying()
    const cut = call(
      "cut",
      ({ serial }, { signal }) => (serial === 1 ? untilStopped(signal) : gate().promise),
      {
        silence: 5000,
      },
    )
    await clock.advance(4000)
    lose()
    await clock.advance(4999)
    expect(cut.outcome).toBe("pending")
    await clock.advance(1001)
    expect([cut.outcome, cut.at, fieldOf(cut, "abandoned")]).toEqual(["TaskStopped Silent", 10_000, true])
  })

  test("L12: `close` and `restart` that its first run asked for are that run's: they do not follow it", async () => {
    const w = replaying()
    const { call, clock, lose, sessions } = w
    const cut = call("cut", ({ serial }, task) => {
      if (serial > 1) return serial
      task.close()
      return untilStopped(task.signal)
    })
    await clock.advance(10)
    lose()
    await clock.advance(100)
    expect(cut.outcome).toBe("value 2")
    expect(sessions.explain("a").state).toBe("Ready")
    await expectNothingLeft(w)
  })
})

class Plain extends Context.Service<Plain, { readonly serial: number; readonly lose: () => void }>()(
  "test/Plain",
) {}
class Plains extends Sessions.Service<Plains>()("test/Plains", {
  layer: ({ brokenUnsafe, serial }) =>
    Layer.effect(Plain, Effect.as(Effect.yieldNow, { serial, lose: brokenUnsafe })),
  concurrency: 2,
}) {}

test("L12, L20: the same of an Effect that fails without ever suspending: its second run is not interrupted", async () => {
  const { clock, run } = await start(Plains)
  const breaks = run(
    Plains.run(
      "a",
      Effect.map(Plain, ({ lose }) => lose()),
    ),
  )
  const cut = watch(
    clock,
    run(
      Plains.run(
        "a",
        Effect.flatMap(Plain, ({ serial }) =>
          serial === 1 ? Effect.fail("target closed") : Effect.as(Effect.yieldNow, "whole"),
        ),
        { idempotent: true },
      ),
    ),
  )
  await clock.advance(100)
  await breaks
  expect(cut.outcome).toBe("value whole")
})
