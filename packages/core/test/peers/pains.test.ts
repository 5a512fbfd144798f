/** What users of hand-written runtimes complain about most, where no other test tells that very story. */
import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"
import { Alive } from "./Alive.ts"

const serialOf = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  // anomalyco/opencode#33720, #47727; openchamber/openchamber#3768; metatool-ai/metamcp#162
  test("L8, L9: one instance per key, never evicted: 2 000 keys never hold more than 50, and in the end none", async () => {
    const alive = new Alive()
    const clock = new VirtualClock()
    const w = world(
      { maxSessions: 50, idleTimeout: 60_000 },
      alive.counting(() => clock.after(10)),
      clock,
    )
    const calls: Array<Watched> = []
    for (let wave = 0; wave < 40; wave++) {
      for (let n = calls.length; calls.length < (wave + 1) * 50; n++) {
        const use = async (): Promise<number> => {
          await clock.after(10)
          return n
        }
        calls.push(watch(clock, w.sessions.run(`folder ${n}`, use)))
      }
      await clock.advance(20)
    }
    expect(calls.filter(({ outcome }, n) => outcome !== `value ${n}`)).toEqual([])
    expect([alive.built, alive.most, alive.now]).toEqual([2000, 50, 50])
    await clock.advance(60_010)
    expect([alive.now, w.registry.sessions.size]).toEqual([0, 0])
    await expectNothingLeft(w)
  })

  // mastra-ai/mastra#21797, jupyterhub/jupyterhub#1498; jupyter/notebook#3896: closed the moment such a run ends.
  test("L8: idle timers kill work in flight: a run ten times as long as the idle time ends by itself, then it is idle", async () => {
    const w = world({ idleTimeout: 60_000 })
    const { clock, sessions, story } = w
    const long = watch(
      clock,
      sessions.run(
        "a",
        async (thing, { progress }) => {
          for (let minute = 0; minute < 10; minute++) {
            await clock.after(60_000)
            progress()
          }
          return thing.serial
        },
        { name: "agent run" },
      ),
    )
    await clock.advance(600_000)
    expect([long.outcome, long.at]).toEqual(["value 1", 600_000])
    await clock.advance(59_999)
    expect(sessions.explain("a").state).toBe("Ready")
    await clock.advance(1)
    expect(story()).toEqual(["Opening", "Opened", "Closing Idle", "Closed Idle"])
    await expectNothingLeft(w)
  })

  // Systemorph/MeshWeaver#150, dotnet/orleans#1383
  test("L13, L12, L8: a hung call that keeps its own session awake wedges nobody: it is told, the whole queue moves on in order", async () => {
    const w = world({ timeouts: { silence: 60_000, grace: 5000, close: 15_000 } })
    const { clock, events, sessions } = w
    let beats = 0
    const hung = watch(
      clock,
      sessions.run("a", (_, { background }) => {
        background("keep alive", async ({ progress, signal }) => {
          while (!signal.aborted) {
            beats++
            progress()
            await clock.after(1000)
          }
        })
        return gate().promise
      }),
    )
    const queued = Array.from({ length: 64 }, (_, n) =>
      watch(
        clock,
        sessions.run("a", (thing) => `${n} on ${thing.serial}`),
      ),
    )
    const oneMore = watch(clock, sessions.run("a", serialOf))
    await settle()
    expect(oneMore.outcome).toBe("SessionRefused MaxQueued")

    // Not green: what runs, since when it is silent, and who waits for it.
    await clock.advance(59_000)
    const { tasks } = sessions.explain("a")
    expect(tasks.filter(({ state }) => state === "queued")).toHaveLength(64)
    expect(tasks[0]).toMatchObject({ state: "running", startedAt: 0, progressAt: 0 })

    await clock.advance(6000)
    expect([hung.outcome, hung.at, fieldOf(hung, "abandoned")]).toEqual(["TaskStopped Silent", 65_000, true])
    expect(events.filter((event) => event._tag === "Lost")).toMatchObject([{ by: "watchdog", at: 65_000 }])
    await clock.advance(15_000)
    expect(queued.map(({ outcome }) => outcome)).toEqual(queued.map((_, n) => `value ${n} on 2`))
    expect(queued.at(-1)?.at).toBe(80_000)
    expect(beats).toBe(65)
    expect(sessions.snapshot().counts).toMatchObject({ leaked: 1, queued: 0, running: 0 })
  })

  describe("a call that hangs, and gives signs of life for ever", () => {
    const timeouts = { grace: 5000, close: 15_000, queue: 60_000 }
    const beating = (options: RunOptions) => {
      const w = world({ timeouts })
      const { clock, sessions } = w
      const hung = watch(
        clock,
        sessions.run(
          "a",
          async (_, { progress }) => {
            for (;;) {
              progress()
              await clock.after(1000)
            }
          },
          options,
        ),
      )
      return { ...w, hung, next: watch(clock, sessions.run("a", serialOf)) }
    }

    test("L5, L6: its caller's timeout ends it, and grace later the next one is served on a new resource", async () => {
      const { clock, hung, next } = beating({ timeout: 10_000 })
      await clock.advance(30_000)
      expect([hung.outcome, hung.at]).toEqual(["TaskStopped Timeout", 10_000])
      // Abandoned, its next sign of life throws, which ends it: nobody waits for the close deadline.
      expect([next.outcome, next.at]).toEqual(["value 2", 15_000])
    })

    test("L5, L13: without one it is left alone, and those who wait are told at their own time", async () => {
      const { clock, hung, next } = beating({})
      await clock.advance(3_600_000)
      expect(hung.outcome).toBe("pending")
      expect([next.outcome, next.at]).toEqual(["SessionRefused QueueTimeout", 60_000])
    })
  })
})
