import { describe, expect, test } from "vitest"
import { collect } from "../support/collect.ts"
import { gate, world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 10_000, stall: 2000, grace: 1000, close: 3000, lease: 30_000 }

describe("streams", () => {
  test("L13: a slow consumer ends by stall: cancelled, given back, the slot free", async () => {
    const { clock, events, sessions } = world({ timeouts })
    const lines: Array<string> = []
    const stream = sessions.stream("a", async function* () {
      try {
        for (;;) yield 1
      } finally {
        lines.push(`given back at ${clock.now}`)
      }
    })
    const iterator = stream[Symbol.asyncIterator]()
    for (let n = 0; n < 5; n++) {
      await iterator.next()
      await clock.advance(1999)
    }
    await clock.advance(1)
    expect(lines).toEqual([`given back at ${5 * 1999 + 1}`])
    const told = watch(clock, iterator.next())
    await settle()
    expect([told.outcome, fieldOf(told, "started"), fieldOf(told, "abandoned")]).toEqual([
      "TaskStopped Stalled",
      true,
      false,
    ])
    expect(events.find((event) => event._tag === "TaskEnded")).toMatchObject({ outcome: "cancelled" })
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L13: a consumer that never comes stalls it from its start", async () => {
    const { clock, sessions } = world({ timeouts })
    const stream = sessions.stream("a", async function* () {
      yield 1
    })
    await stream.started
    await clock.advance(2000)
    await expect(collect(stream)).rejects.toMatchObject({ reason: "Stalled" })
  })

  test("L13: a slow producer ends by silence, which runs only while an element is asked for", async () => {
    const { clock, registry, sessions, story } = world({ timeouts })
    const held = gate()
    const stream = sessions.stream("a", async function* () {
      yield 1
      yield 2
      await held.promise
      yield 3
    })
    const iterator = stream[Symbol.asyncIterator]()
    await clock.advance(1500)
    await iterator.next()
    await clock.advance(1500)
    await iterator.next()
    await clock.advance(1500)
    const third = watch(clock, iterator.next())
    await clock.advance(10_999)
    expect(third.outcome).toBe("pending")
    await clock.advance(1)
    expect([third.outcome, third.at, fieldOf(third, "abandoned")]).toEqual([
      "TaskStopped Silent",
      15_500,
      true,
    ])
    expect(story().at(-1)).toBe("Closing Unresponsive")
    // What it makes late is fenced off; its real end is seen all the same.
    await clock.advance(3000)
    expect(sessions.snapshot().counts.leaked).toBe(1)
    held.open()
    await clock.advance(0)
    expect(story().at(-1)).toBe("LeakEnded")
    expect(registry.monitor.late).toBe(1)
    expect(sessions.snapshot().counts.leaked).toBe(0)
  })

  test("L13: abandoned before it gave its iterable, or at its last element: its real end is seen as well", async () => {
    for (const where of ["open", "done", "throws"]) {
      const it = world({ timeouts })
      const { clock, sessions, story } = it
      const held = gate()
      const given: Array<string> = []
      const reading = watch(
        clock,
        collect(
          sessions.stream("a", async () => {
            if (where === "open") await held.promise
            return (async function* () {
              try {
                yield 1
                await held.promise
                if (where === "throws") throw new Error("late")
              } finally {
                given.push("given back")
              }
            })()
          }),
        ),
      )
      await clock.advance(14_000)
      expect(reading.outcome).toBe("TaskStopped Silent")
      held.open()
      await clock.advance(0)
      expect([where, story().at(-1)]).toEqual([where, "LeakEnded"])
      // A generator that was never asked has nothing to give back.
      expect(given).toEqual(where === "open" ? [] : ["given back"])
      await expectNothingLeft(it)
    }
  })

  test("L13: each element is a sign of life: while it flows it never expires", async () => {
    const { clock, sessions } = world({ timeouts })
    const reading = watch(
      clock,
      collect(
        sessions.stream("a", async function* () {
          for (let n = 0; n < 10; n++) {
            await clock.after(9_000)
            yield n
          }
        }),
      ),
    )
    await clock.advance(90_000)
    expect(reading.value).toHaveLength(10)
  })

  test("L13: a consumer that takes its time makes nobody silent", async () => {
    const { clock, sessions } = world({ timeouts: { ...timeouts, stall: 60_000 } })
    const stream = sessions.stream("a", async function* () {
      await clock.after(500)
      yield 1
      yield 2
    })
    const iterator = stream[Symbol.asyncIterator]()
    const first = iterator.next()
    await clock.advance(500)
    expect(await first).toEqual({ done: false, value: 1 })
    await clock.advance(9000)
    expect(sessions.explain("a").tasks).toMatchObject([{ kind: "stream", state: "running", progressAt: 500 }])
    await clock.advance(40_000)
    expect(await iterator.next()).toEqual({ done: false, value: 2 })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test("L5: `timeout` is for the whole of it, waiting included", async () => {
    const { clock, sessions } = world({ timeouts })
    const held = gate()
    const busy = sessions.run("a", () => held.promise)
    await settle()
    const queued = sessions.stream("a", () => [][Symbol.iterator]() as never, { timeout: 500 })
    const reading = watch(
      clock,
      collect(
        sessions.stream(
          "b",
          async function* () {
            for (;;) {
              await clock.after(100)
              yield 1
            }
          },
          { timeout: 950 },
        ),
      ),
    )
    const started = watch(clock, queued.started)
    await clock.advance(2000)
    expect([started.outcome, started.at]).toEqual(["TaskStopped Timeout", 500])
    expect([reading.outcome, reading.at]).toEqual(["TaskStopped Timeout", 950])
    held.open()
    await busy
  })

  test("L8: a lease is not silent while a stream of it runs", async () => {
    const { clock, sessions } = world({ timeouts })
    const lease = await sessions.lease("a")
    const reading = watch(
      clock,
      collect(
        lease.stream(async function* () {
          for (let n = 0; n < 10; n++) {
            await clock.after(9_000)
            yield n
          }
        }),
      ),
    )
    await clock.advance(90_000)
    expect(reading.value).toHaveLength(10)
    expect(lease.signal.aborted).toBe(false)
    // Its silence begins when the stream has ended.
    await clock.advance(29_999)
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(lease.signal.aborted).toBe(true)
    await expect(lease.stream(async function* () {}).started).rejects.toMatchObject({ reason: "LeaseEnded" })
  })

  test("L22, L7: an element's own calls belong to the turn: stopped with it, and not waiting for it", async () => {
    const { clock, sessions } = world({ timeouts })
    const seen: Array<unknown> = []
    const stream = sessions.stream("a", async function* () {
      try {
        yield await sessions.run("a", () => 1)
      } catch (error) {
        yield Reflect.get(Object(error), "reason")
      }
      try {
        yield await sessions.run("b", () => clock.after(50_000), { silence: "Infinity" })
      } catch (error) {
        seen.push(Reflect.get(Object(error), "reason"))
      }
    })
    const iterator = stream[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toBe("ReentrantRun")
    const second = watch(clock, iterator.next())
    await clock.advance(20_000)
    // A call it made is under way: it is not silent.
    expect(second.outcome).toBe("pending")
    void iterator.return?.()
    await clock.advance(0)
    expect(seen).toEqual(["CallerStopped"])
  })
})
