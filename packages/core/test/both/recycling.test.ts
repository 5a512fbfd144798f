import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, worldOf, type Policy, type Thing } from "../support/ledger.ts"
import { collect } from "../support/collect.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  const recycling = (policy: Policy, before?: Parameters<typeof world>[1]) => {
    const w = world({ idleTimeout: "Infinity", ...policy }, before)
    const run = (work: (thing: Thing, task: Task) => unknown = serial, options?: RunOptions): Watched =>
      watch(w.clock, w.sessions.run("a", work, options))
    const closed = (): ReadonlyArray<string> =>
      w.events.flatMap((event) =>
        event._tag === "Closed" ? [`${event.session.serial} ${event.reason} at ${event.at}`] : [],
      )
    return { ...w, run, closed }
  }

  test("L8: maxAge counts from ready, not from the opening or the last use; too old while idle it closes, and nobody is opened for", async () => {
    const w = recycling({ maxAge: "1 second", restart: { eager: true } }, () => w.clock.after(500))
    const { clock, closed, ledger, run, sessions, story } = w
    const first = run()
    await clock.advance(1000)
    run()
    await clock.advance(499)
    expect([first.at, sessions.explain("a").state]).toEqual([500, "Ready"])
    await clock.advance(1)
    expect(closed()).toEqual(["1 Recycled at 1500"])
    expect(story()).toEqual(["Opening", "Opened", "Closing Recycled", "Closed Recycled"])
    await clock.advance(60_000)
    expect(sessions.explain("a")).toMatchObject({ state: "Closed", ended: { reason: "Recycled" } })
    expect(ledger.lines).toEqual(["open a#1", "release a#1"])
    const next = run()
    await clock.advance(1499)
    expect([next.outcome, closed().length]).toEqual(["value 2", 1])
    await clock.advance(1)
    expect(closed()[1]).toBe("2 Recycled at 63000")
    await expectNothingLeft(w)
  })

  test("L8, L12: too old while a turn runs: it is left alone, however long, and told nothing; who waits moves on in order", async () => {
    const w = recycling({ maxAge: 1000, timeouts: { grace: 100 } })
    const { clock, closed, run, sessions } = w
    const signals: Array<AbortSignal> = []
    const long = run(async (_, { signal }) => {
      signals.push(signal)
      await clock.after(5000)
      return "left alone"
    })
    await clock.advance(900)
    const starts: Array<string> = []
    const waiting = [1, 2].map((n) => run((thing) => starts.push(`${n} on ${thing.serial}`)))
    await clock.advance(200)
    waiting.push(run((thing) => starts.push(`3 on ${thing.serial}`)))
    await clock.advance(3899)
    expect([starts, signals[0]?.aborted]).toEqual([[], false])
    expect(sessions.explain("a").tasks.slice(1)).toMatchObject([1, 2, 3].map(() => ({ waitsFor: "restart" })))
    await clock.advance(1)
    expect(long).toMatchObject({ outcome: "value left alone", at: 5000 })
    expect(starts).toEqual(["1 on 2", "2 on 2", "3 on 2"])
    expect(closed()).toEqual(["1 Recycled at 5000"])
    await expectNothingLeft(w)
  })

  test.each([1, 2, 3, 7])(
    "L8: maxTurns %i: exactly so many start on each generation, none is lost, order is kept",
    async (maxTurns) => {
      for (const concurrency of [1, 3]) {
        const w = recycling({ maxTurns, concurrency })
        const { clock, ledger, run } = w
        const starts: Array<readonly [number, number]> = []
        const calls = Array.from({ length: 20 }, (_, n) =>
          run((thing) => {
            starts.push([n, thing.serial])
            return clock.after(1 + (n % 4))
          }),
        )
        await clock.advance(1000)
        expect(calls.filter((call) => call.outcome !== "value undefined")).toEqual([])
        expect(starts).toEqual(Array.from({ length: 20 }, (_, n) => [n, 1 + Math.floor(n / maxTurns)]))
        expect(ledger.opened).toBe(Math.ceil(20 / maxTurns))
        expect(ledger.mostOfOneKey).toBe(1)
        await expectNothingLeft(w)
      }
    },
  )

  test("L8: what counts for maxTurns: turns that fail or are left, and work beside them; not leases, background work, or who never began", async () => {
    const { clock, closed, run, sessions } = recycling({ maxTurns: 5 })
    const leases = [await sessions.lease("a"), await sessions.lease("a")]
    for (const lease of leases) await lease.release()
    run((_, task) => void task.background("tick", () => {}))
    run(() => Promise.reject(new Error("fails")))
    const slow = run(
      (_, { signal }) => new Promise((_r, reject) => signal.addEventListener("abort", reject)),
      {
        timeout: 10,
      },
    )
    const never = run(serial, { timeout: 5 })
    await clock.advance(20)
    expect([slow.outcome, never.outcome]).toEqual(["TaskStopped Timeout", "TaskStopped Timeout"])
    const beside = run(serial, { whenBusy: "overlap" })
    await clock.advance(10)
    expect([beside.outcome, closed()]).toEqual(["value 1", []])
    const fifth = run()
    const next = run()
    await clock.advance(0)
    expect([fifth.outcome, next.outcome, closed()]).toEqual(["value 1", "value 2", ["1 Recycled at 30"]])
  })

  test("L8, L12: constant load at concurrency 2, by age and by count, with leases: no turn lost, none overtakes, one resource at a time", async () => {
    const w = recycling({ concurrency: 2, maxTurns: 7, maxAge: 90, maxQueued: Infinity })
    const { clock, events, ledger, run, sessions } = w
    const starts: Array<number> = []
    const calls: Array<Watched> = []
    const holds = async (): Promise<void> => {
      const lease = await sessions.lease("a")
      await clock.after(20)
      await lease.release()
    }
    for (let n = 0; n < 300; n++) {
      calls.push(
        run((thing) => {
          starts.push(n)
          return clock.after(1 + ((n * 7) % 13)).then(() => thing.serial)
        }),
      )
      if (n % 40 === 20) void holds()
      await clock.advance(n % 7)
    }
    await clock.advance(200_000)
    expect(calls.filter((call) => !call.outcome.startsWith("value"))).toEqual([])
    expect(starts).toEqual(Array.from({ length: 300 }, (_, n) => n))
    expect(ledger.opened).toBeGreaterThan(10)
    expect(ledger.mostOfOneKey).toBe(1)
    const reasons = events.flatMap((event) => (event._tag === "Closed" ? [event.reason] : []))
    expect(new Set(reasons)).toEqual(new Set(["Recycled"]))
    await expectNothingLeft(w)
  })

  test("L11: it is no loss: restarts.left is unchanged, nothing is quarantined, and the next opens without a delay", async () => {
    const { clock, events, run, sessions, story } = recycling({ maxTurns: 1, restart: { times: 0 } })
    const calls = Array.from({ length: 10 }, () => run())
    await clock.advance(0)
    expect(calls.map((call) => [call.outcome, call.at])).toEqual(calls.map((_, n) => [`value ${n + 1}`, 0]))
    expect(sessions.explain("a").restarts).toEqual({ left: 0, nextAt: undefined })
    expect(story().filter((tag) => tag === "Lost" || tag.startsWith("Quarantined"))).toEqual([])
    expect(events.filter((event) => event._tag === "Closed" && event.reason !== "Recycled")).toEqual([])
    const used = recycling({ maxTurns: 2, restart: { times: 3 } })
    used.run((thing) => thing.opening.broken())
    for (let n = 0; n < 6; n++) used.run()
    await used.clock.advance(100)
    expect(used.sessions.explain("a").restarts.left).toBe(2)
  })

  test("L9: it keeps its seat: with every seat taken it goes on before who waits in line", async () => {
    const { clock, run, sessions } = recycling({ maxTurns: 1, maxSessions: 1 })
    const held = gate()
    const first = run(() => held.promise)
    const second = run()
    await settle()
    const other = watch(
      clock,
      sessions.run("b", ({ key }) => key),
    )
    await clock.advance(10)
    held.open()
    await clock.advance(0)
    expect([first.outcome, second.outcome, other.outcome]).toEqual(["value undefined", "value 2", "value b"])
  })

  test("L25: `save` is asked on Recycled, after the last turn, and `restored` is there in the next generation", async () => {
    const restored: Array<unknown> = []
    const saves: Array<string> = []
    const w = recycling({ maxTurns: 2 }, (opening) => {
      restored.push(opening.restored)
      opening.save(() => {
        saves.push(`${opening.serial} at ${w.clock.now}`)
        return { turns: w.clock.now }
      })
    })
    const { clock, run } = w
    for (let n = 0; n < 5; n++) run(() => clock.after(10))
    await clock.advance(100)
    expect(saves).toEqual(["1 at 20", "2 at 40"])
    expect(restored).toEqual([undefined, { turns: 20 }, { turns: 40 }])
    await expectNothingLeft(w)
  })
})

test("L8: streams count for maxTurns, one each however many elements, and are never cut for it", async () => {
  const { clock, sessions, story } = worldOf<{ serial: number }>({
    name: "recycling",
    maxTurns: 2,
    open: ({ serial: number }) => ({ serial: number }),
  })
  const stream = (): Promise<Array<number>> =>
    collect(
      sessions.stream("a", async function* ({ serial: number }) {
        for (let n = 0; n < 3; n++) {
          await clock.after(10)
          yield number
        }
      }),
    )
  const streams = [stream(), stream(), stream()]
  await clock.advance(100)
  expect(await Promise.all(streams)).toEqual([
    [1, 1, 1],
    [1, 1, 1],
    [2, 2, 2],
  ])
  expect(story().filter((tag) => tag.startsWith("Closed"))).toEqual(["Closed Recycled"])
})
