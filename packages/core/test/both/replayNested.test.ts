import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

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
  test("L22, L12: a nested call is replayed while its caller waits, whose silence stands still", async () => {
    const w: ReturnType<typeof replaying> = replaying({}, (opening) => {
      if (opening.key === "a" && opening.serial < 3) opening.onClose(() => w.clock.after(2500))
    })
    const { clock, lose, sessions, things } = w
    const outer = watch(
      clock,
      sessions.run(
        "b",
        () =>
          sessions.run(
            "a",
            (thing, { signal }) => {
              things.push(thing)
              return thing.serial === 2 ? untilStopped(signal) : thing.serial
            },
            { idempotent: true },
          ),
        { silence: 1000 },
      ),
    )
    await clock.advance(10)
    lose()
    await clock.advance(2499)
    expect(outer.outcome).toBe("pending")
    await clock.advance(1)
    expect(outer).toMatchObject({ outcome: "value 3", at: 2510 })
    await expectNothingLeft(w)
  })

  test("L22: its caller told to stop while it waits for its second run: it is stopped too", async () => {
    const w: ReturnType<typeof replaying> = replaying({}, (opening) => {
      if (opening.key === "a") opening.onClose(() => w.clock.after(500))
    })
    const { clock, lose, sessions, things } = w
    const nested: Array<Watched> = []
    watch(
      clock,
      sessions.run("b", async (_, task) => {
        const call = sessions.run(
          "a",
          (thing, { signal }) => {
            things.push(thing)
            return untilStopped(signal)
          },
          { idempotent: true },
        )
        nested.push(watch(clock, call))
        await Promise.race([call, untilStopped(task.signal)])
      }),
    )
    await clock.advance(10)
    lose()
    await clock.advance(10)
    void sessions.close("b")
    await clock.advance(0)
    expect(nested).toMatchObject([{ outcome: "TaskStopped CallerStopped", at: 20 }])
    await clock.advance(5000)
    expect(things).toHaveLength(1)
    await expectNothingLeft(w)
  })

  test("L7: put back, it is still what its caller waits for: the opening it waits for cannot wait for that caller", async () => {
    const told: Array<Watched> = []
    const w: ReturnType<typeof replaying> = replaying({}, async (opening) => {
      if (opening.key !== "a" || opening.serial < 3) return
      const call = w.sessions.run("b", () => "b")
      told.push(watch(w.clock, call))
      await call.catch(() => {})
    })
    const { clock, lose, sessions, things } = w
    const outer = watch(
      clock,
      sessions.run("b", () =>
        sessions.run(
          "a",
          (thing, { signal }) => {
            things.push(thing)
            return thing.serial === 2 ? untilStopped(signal) : thing.serial
          },
          { idempotent: true },
        ),
      ),
    )
    await clock.advance(10)
    lose()
    await clock.advance(10)
    expect(told).toMatchObject([{ outcome: "SessionMisuse ReentrantRun", at: 10 }])
    expect(outer).toMatchObject({ outcome: "value 3", at: 10 })
    await expectNothingLeft(w)
  })

  test("L7: a nested call of the very turn that found the resource broken would wait for it: it is told, not put back", async () => {
    const w: ReturnType<typeof replaying> = replaying({ concurrency: 2 })
    const { call, clock, ledger, sessions } = w
    const nested: Array<Watched> = []
    const finder = call("finder", async (_, task) => {
      const own = sessions.run("a", (_thing, { signal }) => untilStopped(signal), { idempotent: true })
      nested.push(watch(clock, own))
      await clock.after(10)
      task.broken(new Error("gone"))
      await own.catch(() => {})
      return "found"
    })
    await clock.advance(20)
    expect(nested).toMatchObject([{ outcome: "TaskStopped Broken", at: 10 }])
    expect(finder).toMatchObject({ outcome: "value found", at: 10 })
    expect(ledger.live).toBe(0)
    await expectNothingLeft(w)
  })

  test("L7: nor when that turn waits for it through another session, in either order", async () => {
    for (const firstLost of [false, true]) {
      const w: ReturnType<typeof replaying> = replaying({ concurrency: 2 })
      const { call, clock, sessions } = w
      const { sessions: others } = world({}, undefined, clock)
      const found = gate()
      const finder = call("finder", async (_, task) => {
        await found.promise
        if (firstLost) task.broken(new Error("gone"))
        if (firstLost) await clock.after(10)
        const through = others.run("b", () => "b").catch((error: { reason: string }) => error.reason)
        await settle()
        if (!firstLost) task.broken(new Error("gone"))
        return through
      })
      const outer = watch(
        clock,
        others.run("b", () =>
          sessions
            .run("a", ({ serial }, { signal }) => (serial === 1 ? untilStopped(signal) : serial), {
              idempotent: true,
            })
            .catch((error: { reason: string }) => error.reason),
        ),
      )
      await clock.advance(10)
      found.open()
      await clock.advance(10)
      expect(finder).toMatchObject({ outcome: firstLost ? "value ReentrantRun" : "value b", at: clock.now })
      await clock.advance(100)
      expect(outer.outcome).toBe(firstLost ? "value 2" : "value Broken")
      await expectNothingLeft(w)
    }
  })
})
