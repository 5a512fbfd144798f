import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import type { Thing, World } from "../support/ledger.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

/** Microtasks are steps too: how many of them the disturbance waits for within its millisecond. */
const ticks = async (count: number): Promise<void> => {
  for (let tick = 0; tick < count; tick++) await Promise.resolve()
}

describe.each(faces)("$face", ({ world }) => {
  interface Stage extends World<Thing> {
    readonly leaves: AbortController
    readonly calls: Array<Watched>
    readonly things: ReadonlyArray<Thing>
    readonly finalized: Map<string, number>
  }
  /** An open of three steps, a turn of three, two behind it, a lease, and a close of three: some fourteen milliseconds. */
  const play = async (ms: number, microtasks: number, disturb: (stage: Stage) => unknown): Promise<Stage> => {
    const finalized = new Map<string, number>()
    const things: Array<Thing> = []
    const w: World<Thing> = world({ restart: { times: 1 } }, async ({ onClose, serial }) => {
      for (const part of ["one", "two"]) {
        await w.clock.after(1)
        const name = `${part}#${serial}`
        finalized.set(name, 0)
        onClose(async () => {
          finalized.set(name, (finalized.get(name) ?? 0) + 1)
          await w.clock.after(1)
        })
      }
      await w.clock.after(1)
    })
    const { clock, sessions } = w
    const calls: Array<Watched> = []
    const stage: Stage = { ...w, calls, things, finalized, leaves: new AbortController() }
    const { signal } = stage.leaves
    const say = (promise: Promise<unknown>): void => void calls.push(watch(clock, promise))
    const work = async (thing: Thing): Promise<number> => {
      things.push(thing)
      for (let step = 0; step < 3; step++) await clock.after(1)
      return thing.serial
    }
    say(sessions.run("a", work, { signal }))
    say(sessions.run("a", work, { signal }))
    say(sessions.run("a", (thing) => thing.serial))
    say(sessions.lease("a", { signal }).then((lease) => lease.release()))
    void clock.after(10).then(() => say(sessions.close("a")))
    void clock.after(11).then(() => say(sessions.run("a", (thing) => thing.serial)))
    const disturbance = async (): Promise<void> => {
      if (ms > 0) await clock.after(ms)
      await ticks(microtasks)
      await disturb(stage)
    }
    void disturbance()
    await clock.advance(100)
    await expectNothingLeft(stage)
    expect(calls.filter((call) => call.outcome === "pending")).toEqual([])
    expect([...finalized].filter(([, times]) => times !== 1)).toEqual([])
    expect(w.ledger.mostOfOneKey).toBeLessThanOrEqual(1)
    return stage
  }
  const moments = Array.from({ length: 16 }, (_, ms) =>
    [0, 1, 2, 3, 5, 8, 13].map((tick) => [ms, tick] as const),
  ).flat()

  test.each([
    ["its callers leave", ({ leaves }: Stage) => leaves.abort(new Error("gone"))],
    ["it is closed", ({ sessions }: Stage) => sessions.close("a")],
    ["it is closed in time", ({ sessions }: Stage) => sessions.close("a", { finishWithin: 2 })],
    ["it is restarted", ({ sessions }: Stage) => sessions.restart("a")],
    ["it is restarted in time", ({ sessions }: Stage) => sessions.restart("a", { finishWithin: 2 })],
    ["its turns are cancelled", ({ sessions }: Stage) => sessions.cancel("a")],
    ["it breaks", ({ things }: Stage) => things.at(-1)?.opening.broken()],
    ["it ends", ({ things }: Stage) => things.at(-1)?.opening.end()],
    ["the registry drains", ({ sessions }: Stage) => sessions.drain({ finishWithin: 2 })],
    [
      "its callers leave and it is closed",
      ({ leaves, sessions }: Stage) => {
        leaves.abort(new Error("gone"))
        return sessions.close("a")
      },
    ],
  ] as const)(
    "L1, L3, L4, L5: at every step of open, run and close %s: all told, all released once",
    async (_, disturb) => {
      const outcomes = new Set<string>()
      for (const [ms, tick] of moments) {
        const { calls } = await play(ms, tick, disturb)
        for (const call of calls) outcomes.add(call.outcome)
      }
      // The moments really differ in what they hit.
      expect(outcomes.size).toBeGreaterThan(2)
    },
  )
})
