import { AsyncLocalStorage } from "node:async_hooks"
import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const timeouts = { silence: 60_000, grace: 1000, close: 3000 }
const caller = new AsyncLocalStorage<string>()

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
    return { ...w, call, lose, starts, things }
  }

  test("L12: what has begun is never run again unless it says so", async () => {
    for (const idempotent of [false, undefined]) {
      const w = replaying()
      const { call, clock, lose, starts } = w
      const cut = call("cut", undefined, { idempotent })
      const waits = call("waits", undefined, { idempotent })
      await clock.advance(10)
      lose()
      await clock.advance(5000)
      expect([cut.outcome, fieldOf(cut, "started"), waits.outcome]).toEqual([
        "TaskStopped Broken",
        true,
        "value 2",
      ])
      expect(starts).toEqual(["cut on 1 at 0", "waits on 2 at 10"])
      await expectNothingLeft(w)
    }
  })

  test("L12, L6: idempotent, it begins once more on the next generation, at its old place, and is told once, with that result", async () => {
    const w = replaying()
    const { call, clock, events, lose, registry, starts } = w
    const calls = ["first", "second", "third"].map((name) => call(name))
    await clock.advance(10)
    calls.push(call("fourth"))
    lose()
    await clock.advance(0)
    expect(calls).toMatchObject([1, 2, 3, 4].map(() => ({ outcome: "value 2", at: 10 })))
    expect(starts).toEqual([
      "first on 1 at 0",
      "first on 2 at 10",
      "second on 2 at 10",
      "third on 2 at 10",
      "fourth on 2 at 10",
    ])
    const told = events.flatMap((event) =>
      event._tag === "TaskEnded" ? [`${event.task.name} ${event.outcome}`] : [],
    )
    expect(told).toEqual(["first succeeded", "second succeeded", "third succeeded", "fourth succeeded"])
    expect(registry.monitor.outcomes).toMatchObject({ succeeded: 4, interrupted: 0, rejected: 0 })
    await expectNothingLeft(w)
  })

  test.each(["queue", "overlap"] as const)(
    "L12, L6: several cut at once (%s): each at its old place, in whatever order they end, before who came later",
    async (whenBusy) => {
      for (const lengths of [
        [30, 20, 10],
        [10, 20, 30],
        [20, 30, 10],
      ]) {
        const w = replaying({ concurrency: 3 })
        const { call, clock, lose, starts } = w
        const calls = lengths.map((ms, n) =>
          call(
            `${n}`,
            async ({ serial }, { signal }) => {
              if (serial > 1) return serial
              await untilStopped(signal).catch(() => clock.after(ms))
              throw new Error("stopped")
            },
            { whenBusy },
          ),
        )
        await clock.advance(5)
        calls.push(call("3", ({ serial }) => serial, { whenBusy: "queue", idempotent: false }))
        if (whenBusy === "overlap") await clock.advance(0)
        lose()
        await clock.advance(100)
        expect(calls.slice(0, 3).map((one) => one.outcome)).toEqual(["value 2", "value 2", "value 2"])
        expect(starts.filter((line) => line.includes("on 2"))).toEqual(
          [0, 1, 2, ...(whenBusy === "queue" ? [3] : [])].map((n) => `${n} on 2 at 35`),
        )
        await expectNothingLeft(w)
      }
    },
  )

  test("L12: once more, and no further: cut by a second loss it is interrupted; what waited meanwhile is not used up", async () => {
    const w = replaying()
    const { call, clock, lose, starts } = w
    const cut = call("cut", (_, { signal }) => untilStopped(signal))
    await clock.advance(10)
    lose()
    await clock.advance(10)
    const behind = call("behind", ({ serial }, { signal }) => (serial < 4 ? untilStopped(signal) : serial))
    lose()
    await clock.advance(500)
    expect([cut.outcome, fieldOf(cut, "started"), fieldOf(cut, "abandoned")]).toEqual([
      "TaskStopped Broken",
      true,
      false,
    ])
    lose()
    await clock.advance(500)
    expect(behind.outcome).toBe("value 4")
    expect(starts).toEqual(["cut on 1 at 0", "cut on 2 at 10", "behind on 3 at 95", "behind on 4 at 670"])
    await expectNothingLeft(w)
  })

  test("L12, L6: put back, it counts for no limit: a full queue refuses who comes, not who was there", async () => {
    const w = replaying({ maxQueued: 1 })
    const { call, clock, lose, registry } = w
    const calls = [call("cut"), call("waits")]
    await clock.advance(10)
    calls.push(call("refused"))
    lose()
    await clock.advance(100)
    expect(calls.map((one) => one.outcome)).toEqual(["value 2", "value 2", "SessionRefused MaxQueued"])
    expect(registry.hangs.watched).toBe(0)
    await expectNothingLeft(w)
  })

  test("L12, L3: never beside itself: the next generation waits for the end of its first run", async () => {
    let running = 0
    let most = 0
    const { call, clock, ledger, lose, starts } = replaying()
    const cut = call("cut", async ({ serial }, { signal }) => {
      most = Math.max(most, ++running)
      if (serial === 1) await untilStopped(signal).catch(() => clock.after(999))
      running--
      if (serial === 1) throw new Error("stopped")
      return serial
    })
    await clock.advance(10)
    lose()
    await clock.advance(998)
    expect(ledger.opened).toBe(1)
    await clock.advance(1)
    expect(cut).toMatchObject({ outcome: "value 2", at: 1009 })
    expect([most, starts]).toEqual([1, ["cut on 1 at 0", "cut on 2 at 1009"]])
  })

  test("L12, L21: not ended within its grace it is abandoned and interrupted, never begun beside itself, nor when it ends late", async () => {
    const ends = gate()
    const w = replaying()
    const { call, clock, lose, registry, starts } = w
    const cut = call("cut", ({ serial }) => (serial === 1 ? ends.promise : serial))
    await clock.advance(10)
    lose()
    await clock.advance(999)
    expect(cut.outcome).toBe("pending")
    await clock.advance(1)
    expect([cut.outcome, fieldOf(cut, "started"), fieldOf(cut, "abandoned")]).toEqual([
      "TaskStopped Broken",
      true,
      true,
    ])
    await clock.advance(500)
    ends.fail(new Error("late"))
    await clock.advance(10_000)
    expect(starts).toEqual(["cut on 1 at 0"])
    expect(registry.monitor.late).toBe(1)
    await expectNothingLeft(w)
  })

  test("L12, L13: a generation that is Unresponsive, or that its probe finds bad, is lost too: work beside it begins once more", async () => {
    const hung = replaying({ timeouts: { ...timeouts, silence: "Infinity" } })
    const left = hung.call("hung", () => gate().promise, { timeout: 100 })
    const beside = hung.call("beside", undefined, { whenBusy: "overlap" })
    await hung.clock.advance(500)
    const needs = hung.call("needs")
    await hung.clock.advance(10_000)
    expect([left.outcome, beside.outcome, needs.outcome]).toEqual([
      "TaskStopped Timeout",
      "value 2",
      "value 2",
    ])
    const bad = replaying({}, (opening) => opening.probe(() => opening.serial > 1))
    const probed = bad.call("probed", undefined, { whenBusy: "overlap" })
    await settle()
    bad.call("fails", () => Promise.reject(new Error("fails")))
    await bad.clock.advance(100)
    expect(probed.outcome).toBe("value 2")
  })

  test("L19: its second run sees its own caller's store, and nobody else's", async () => {
    const seen: Array<string | undefined> = []
    const { call, clock, lose } = replaying()
    caller.run("owner", () =>
      call("cut", async ({ serial }, { signal }) => {
        seen.push(caller.getStore())
        await settle()
        seen.push(caller.getStore())
        if (serial === 1) await untilStopped(signal)
      }),
    )
    await clock.advance(10)
    caller.run("breaker", lose)
    await clock.advance(100)
    expect(seen).toEqual(["owner", "owner", "owner", "owner"])
  })
})
