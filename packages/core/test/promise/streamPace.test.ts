import { describe, expect, test } from "vitest"
import { collect } from "../support/collect.ts"
import { gate, world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 10_000, stall: 2000, grace: 1000, close: 3000 }

/** Notes what it makes and that it was given back. */
const counting = (lines: Array<string>, count = Infinity) =>
  async function* numbers() {
    try {
      for (let n = 1; n <= count; n++) {
        lines.push(`made ${n}`)
        yield n
      }
      lines.push("all made")
    } finally {
      lines.push("given back")
    }
  }

describe("streams", () => {
  test("L2: a stream is a turn: tracked to its real end, and the next turn waits for it", async () => {
    const it = world({ timeouts })
    const { clock, events, sessions } = it
    const stream = sessions.stream("a", counting([], 3), { name: "numbers" })
    await stream.started
    expect(sessions.explain("a").tasks).toMatchObject([
      { id: stream.id, kind: "stream", name: "numbers", state: "running" },
    ])
    const next = watch(
      clock,
      sessions.run("a", () => "next"),
    )
    await settle()
    expect(next.outcome).toBe("pending")
    expect(await collect(stream)).toEqual([1, 2, 3])
    await settle()
    expect(next.outcome).toBe("value next")
    const ended = events.filter((event) => event._tag === "TaskEnded")
    expect(ended).toMatchObject([{ outcome: "succeeded", task: { id: stream.id } }, { outcome: "succeeded" }])
    await expectNothingLeft(it)
  })

  test("L16: the consumer sets the pace: nothing is made before it is asked for", async () => {
    const { sessions } = world({ timeouts })
    const lines: Array<string> = []
    const stream = sessions.stream("a", counting(lines))
    await stream.started
    await settle()
    expect(lines).toEqual([])
    const iterator = stream[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: 1 })
    await settle()
    expect(lines).toEqual(["made 1"])
    expect(await iterator.next()).toEqual({ done: false, value: 2 })
    await iterator.return?.()
    await settle()
    expect(lines).toEqual(["made 1", "made 2", "given back"])
  })

  test("L5: break cancels the turn and runs the generator's finally; the slot is free then", async () => {
    const { events, sessions } = world({ timeouts })
    const lines: Array<string> = []
    for await (const n of sessions.stream("a", counting(lines))) if (n === 2) break
    expect(await sessions.run("a", () => lines.join())).toBe("made 1,made 2,given back")
    expect(events.find((event) => event._tag === "TaskEnded")).toMatchObject({
      outcome: "cancelled",
      error: { reason: "Cancelled" },
    })
  })

  test("L5: after it has left, a consumer that asks again is told that it is over", async () => {
    const { sessions } = world({ timeouts })
    const iterator = sessions.stream("a", counting([]))[Symbol.asyncIterator]()
    await iterator.next()
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test("L5: disposing it cancels it, at any time, as often as you like", async () => {
    const { sessions } = world({ timeouts })
    const lines: Array<string> = []
    {
      await using stream = sessions.stream("a", counting(lines))
      await stream.started
    }
    const held = gate()
    const busy = sessions.run("a", () => held.promise)
    const queued = sessions.stream("a", counting(lines))
    await queued[Symbol.asyncDispose]()
    await queued[Symbol.asyncDispose]()
    await expect(queued.started).rejects.toMatchObject({ reason: "Cancelled", started: false })
    held.open()
    await busy
    expect(await sessions.run("a", () => lines)).toEqual([])
  })

  test("L5: a consumer that left while the next element was being made: that ends first, then it is given back", async () => {
    const { clock, sessions } = world({ timeouts })
    const lines: Array<string> = []
    const stream = sessions.stream("a", async function* (_, { signal }) {
      try {
        yield 1
        await clock.after(500)
        lines.push(`made 2, aborted ${signal.aborted}`)
        yield 2
        lines.push("never")
      } finally {
        lines.push(`given back at ${clock.now}`)
      }
    })
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    const second = watch(clock, iterator.next())
    await clock.advance(100)
    void iterator.return?.()
    await settle()
    expect(second.outcome).toBe("TaskStopped Cancelled")
    const next = watch(
      clock,
      sessions.run("a", () => "next"),
    )
    await clock.advance(1000)
    expect(lines).toEqual(["made 2, aborted true", "given back at 500"])
    expect([next.outcome, next.at]).toEqual(["value next", 500])
  })

  test("L5: several pulls at once are answered in order; the end answers them all", async () => {
    const { sessions } = world({ timeouts })
    const iterator = sessions.stream("a", counting([], 2))[Symbol.asyncIterator]()
    const pulls = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
    expect(pulls.map(({ done, value }) => (done === true ? "done" : value))).toEqual([1, 2, "done", "done"])
  })

  test("L2: entries are numbered from 1; there is one consumer", async () => {
    const { sessions } = world({ timeouts })
    const stream = sessions.stream("a", () => counting([], 2)())
    expect(await collect(stream.entries())).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError)
    await expect(collect(stream)).rejects.toThrow("one consumer")
  })

  test("L2: the source may be a promise of an iterable, or a plain iterable; anything else is its own failure", async () => {
    const { clock, sessions } = world({ timeouts })
    expect(await collect(sessions.stream("a", async () => counting([], 2)()))).toEqual([1, 2])
    const plain = sessions.stream("a", () => [1, 2] as unknown as AsyncIterable<number>)
    expect(await collect(plain)).toEqual([1, 2])
    const wrong = watch(clock, collect(sessions.stream("a", () => 5 as unknown as AsyncIterable<number>)))
    await clock.advance(0)
    expect(wrong.outcome).toMatch(/^error stream: the task must return/)
  })

  test("L6: overlapping streams take no turn", async () => {
    const { sessions } = world({ timeouts })
    const held = gate()
    const busy = sessions.run("a", () => held.promise)
    await settle()
    expect(await collect(sessions.stream("a", counting([], 2), { whenBusy: "overlap" }))).toEqual([1, 2])
    held.open()
    await busy
  })
})
