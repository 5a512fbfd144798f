import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { collect } from "../support/collect.ts"
import { faces } from "../support/faces.ts"
import { worldOf, type Policy, type Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ face, world }) => {
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
    return { ...w, call, lose, starts, things }
  }

  test.each<readonly [string, (w: ReturnType<typeof replaying>) => unknown, string, RunOptions]>([
    ["close", ({ sessions }) => sessions.close("a"), "TaskStopped Closed", {}],
    ["restart", ({ sessions }) => sessions.restart("a"), "TaskStopped Restarted", {}],
    ["drain", ({ sessions }) => sessions.drain({ finishWithin: 0 }), "TaskStopped Drained", {}],
    ["cancel", ({ sessions }) => sessions.cancel("a"), "TaskStopped Cancelled", {}],
    ["timeout", () => {}, "TaskStopped Timeout", { timeout: 100 }],
    ["silence", () => {}, "TaskStopped Silent", { silence: 100 }],
    ["replace", ({ call }) => call("newer", () => 1, { whenBusy: "replace" }), "TaskStopped Replaced", {}],
    ["its own error", () => {}, "error own", {}],
  ])(
    "L12: not after %s, nor when the resource is lost just after it",
    async (cause, stop, outcome, options) => {
      for (const lost of [false, true]) {
        const w = replaying()
        const { call, clock, lose, starts } = w
        const cut = call(
          "cut",
          async ({ serial }, { signal }) => {
            if (serial > 1) return serial
            await Promise.race([
              untilStopped(signal),
              ...(cause === "its own error" ? [clock.after(50)] : []),
            ]).catch(() => clock.after(100))
            throw new Error("own")
          },
          options,
        )
        await clock.advance(99)
        void stop(w)
        await clock.advance(1)
        if (lost) lose()
        await clock.advance(30_000)
        expect(cut.outcome).toBe(outcome)
        expect(starts.filter((line) => line.startsWith("cut"))).toEqual(["cut on 1 at 0"])
        await expectNothingLeft(w)
      }
    },
  )

  test.each(["close", "drain", "close before it", "drain before it"] as const)(
    "L12: not when a %s comes beside the loss, before its end",
    async (verb) => {
      const w = replaying()
      const { call, clock, lose, sessions, starts } = w
      const cut = call("cut", async (_, { signal }) => {
        await untilStopped(signal).catch(() => clock.after(500))
        throw new Error("stopped")
      })
      await clock.advance(5)
      if (verb === "close before it") void sessions.close("a", { finishWithin: 60_000 })
      if (verb === "drain before it") void sessions.drain()
      await clock.advance(5)
      lose()
      await clock.advance(100)
      if (verb === "close") void sessions.close("a")
      if (verb === "drain") void sessions.drain()
      await clock.advance(10_000)
      expect([cut.outcome, cut.at, fieldOf(cut, "started")]).toEqual(["TaskStopped Broken", 510, true])
      expect(starts).toEqual(["cut on 1 at 0"])
      await expectNothingLeft(w)
    },
  )

  test("L12, L14: not while draining, though its session is opened once more for a nested call of admitted work", async () => {
    const w = replaying()
    const { call, clock, lose, sessions, starts } = w
    const cut = call("cut", async (_, { signal }) => {
      await untilStopped(signal).catch(() => clock.after(500))
      throw new Error("stopped")
    })
    await clock.advance(5)
    const outer = watch(
      clock,
      sessions.run("b", () => sessions.run("a", ({ serial }) => serial)),
    )
    await clock.advance(5)
    lose()
    await clock.advance(100)
    void sessions.drain()
    await clock.advance(1000)
    expect([cut.outcome, cut.at]).toEqual(["TaskStopped Broken", 510])
    expect(outer).toMatchObject({ outcome: "value 3", at: 510 })
    expect(starts).toEqual(["cut on 1 at 0"])
  })

  test("L12: also by a restart that joins the loss: that replaces the generation only", async () => {
    const { call, clock, lose, sessions } = replaying()
    const cut = call("cut", async ({ serial }, { signal }) => {
      if (serial > 1) return serial
      await untilStopped(signal).catch(() => clock.after(500))
      throw new Error("stopped")
    })
    await clock.advance(10)
    lose()
    await clock.advance(100)
    void sessions.restart("a")
    await clock.advance(1000)
    expect(cut).toMatchObject({ outcome: "value 2", at: 510 })
  })

  test("L5, L12: work that still returns a value has succeeded and is not begun again; on the Effect face its exit decides", async () => {
    const { call, clock, lose, starts } = replaying()
    const cut = call("cut", async ({ serial }, { signal }) => {
      if (serial === 1) await untilStopped(signal).catch(() => clock.after(100))
      return `from ${serial}`
    })
    await clock.advance(10)
    lose()
    await clock.advance(100)
    const promises = face === "Promise face"
    expect(cut).toMatchObject({ outcome: promises ? "value from 1" : "value from 2", at: 110 })
    expect(starts).toHaveLength(promises ? 1 : 2)
  })

  test.each(["task.broken", "opening.broken"] as const)(
    "L11, L12: who declares the resource broken itself (%s) keeps its own outcome",
    async (how) => {
      for (const throws of [true, false]) {
        const { call, clock, starts } = replaying()
        const finder = call("finder", async (thing, task) => {
          await clock.after(10)
          if (how === "task.broken") task.broken(new Error("gone"))
          else thing.opening.broken(new Error("gone"))
          await clock.after(10)
          if (throws) throw new Error("own")
          return "own"
        })
        await clock.advance(5000)
        expect(finder).toMatchObject({ outcome: throws ? "error own" : "value own", at: 20 })
        expect(starts).toEqual(["finder on 1 at 0"])
      }
    },
  )

  test("L12, L11: no next generation, no second run: restart false, and one loss too many", async () => {
    for (const restart of [false, { times: 0 }] as const) {
      const w = replaying({ restart })
      const { call, clock, lose, starts } = w
      const cut = call("cut")
      await clock.advance(10)
      lose()
      await clock.advance(10_000)
      expect([cut.outcome, cut.at, fieldOf(cut, "started")]).toEqual(["TaskStopped Broken", 10, true])
      expect(starts).toEqual(["cut on 1 at 0"])
      await expectNothingLeft(w)
    }
  })

  test("L12, L2: work of a lease is never run again: it belongs to the generation that is gone", async () => {
    const { clock, sessions } = replaying()
    const lease = await sessions.lease("a")
    const starts: Array<number> = []
    const cut = watch(
      clock,
      lease.run(
        (thing, { signal }) => {
          starts.push(thing.serial)
          return untilStopped(signal)
        },
        { idempotent: true },
      ),
    )
    await settle()
    void sessions.run("a", ({ opening }) => opening.broken(), { whenBusy: "overlap" })
    await clock.advance(5000)
    expect([cut.outcome, fieldOf(cut, "started"), starts]).toEqual(["TaskStopped Broken", true, [1]])
  })
})

test("L12: a stream is never run again: its consumer may have had elements", async () => {
  for (const resumable of [false, true]) {
    const starts: Array<number> = []
    const { clock, sessions } = worldOf<Thing["opening"]>({ name: "replay", open: (opening) => opening })
    const openings: Array<Thing["opening"]> = []
    const stream = sessions.stream(
      "a",
      async function* (opening, { signal }) {
        openings.push(opening)
        starts.push(opening.serial)
        yield opening.serial
        await untilStopped(signal)
      },
      { idempotent: true, resumable },
    )
    const read = watch(clock, collect(stream))
    await clock.advance(10)
    openings[0]?.broken()
    await clock.advance(60_000)
    expect([read.outcome, starts]).toEqual(["TaskStopped Broken", [1]])
  }
})
