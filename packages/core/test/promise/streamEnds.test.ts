import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { collect } from "../support/collect.ts"
import { gate, world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 10_000, stall: 2000, grace: 1000, close: 3000 }
const unhandled: Array<unknown> = []
const note = (error: unknown): void => void unhandled.push(error)
beforeEach(() => {
  unhandled.length = 0
  process.on("unhandledRejection", note)
})
afterEach(async () => {
  await settle()
  process.off("unhandledRejection", note)
  if (unhandled.length > 0) throw new Error("An unhandled rejection", { cause: unhandled[0] })
})

async function* few() {
  yield 1
  yield 2
}

describe("streams", () => {
  test("L5: an error after some elements comes after them, and is the source's own", async () => {
    const { events, sessions } = world({ timeouts })
    const own = new Error("own")
    const seen: Array<number> = []
    const read = async (): Promise<void> => {
      const stream = sessions.stream("a", async function* () {
        yield* few()
        throw own
      })
      for await (const n of stream) seen.push(n)
    }
    await expect(read()).rejects.toBe(own)
    expect(seen).toEqual([1, 2])
    expect(events.find((event) => event._tag === "TaskEnded")).toMatchObject({
      outcome: "failed",
      error: own,
    })
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L5: the error is told once; after it, the stream is over", async () => {
    const { sessions } = world({ timeouts })
    const stream = sessions.stream("a", () => {
      throw new Error("own")
    })
    const iterator = stream[Symbol.asyncIterator]()
    await expect(iterator.next()).rejects.toThrow("own")
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test("L5: a refusal is told by `started` and by reading; nobody who does not look is disturbed", async () => {
    const { clock, ledger, sessions } = world({ timeouts, whenBusy: "reject" })
    const held = gate()
    const busy = sessions.run("a", () => held.promise)
    await settle()
    const refused = sessions.stream("a", few)
    await expect(refused.started).rejects.toMatchObject({ _tag: "SessionRefused", reason: "Busy" })
    await expect(collect(refused)).rejects.toMatchObject({ reason: "Busy" })
    sessions.stream("a", few)
    sessions.stream("", few)
    sessions.stream("a", few, { timeout: -1 })
    sessions.stream("a", undefined as never)
    sessions.stream("a", few, { signal: AbortSignal.abort(new Error("gone")), resumable: true })
    await clock.advance(0)
    await expect(sessions.stream("", few).started).rejects.toMatchObject({ reason: "InvalidKey" })
    await expect(sessions.stream("a", few, { timeout: -1 }).started).rejects.toMatchObject({
      reason: "InvalidOption",
    })
    await expect(sessions.stream("a", few, { resumable: { items: 0 } }).started).rejects.toMatchObject({
      reason: "InvalidOption",
    })
    held.open()
    await busy
    expect(ledger.opened).toBe(1)
  })

  test("L5, L10: a failed open is told by `started` and by reading", async () => {
    const { clock, sessions } = world({ timeouts }, () => Promise.reject(new Error("no database")))
    const stream = sessions.stream("a", few)
    const [started, read] = [watch(clock, stream.started), watch(clock, collect(stream))]
    await clock.advance(0)
    expect([started.outcome, read.outcome]).toEqual(["SessionOpenFailed Failed", "SessionOpenFailed Failed"])
  })

  test("L5: a signal that was aborted before opens nothing; one aborted later ends the iteration with its reason", async () => {
    const { clock, ledger, sessions } = world({ timeouts })
    const before = sessions.stream("a", few, { signal: AbortSignal.abort(new Error("gone before")) })
    await expect(collect(before)).rejects.toThrow("gone before")
    expect(ledger.opened).toBe(0)
    const gone = new AbortController()
    const reading = watch(
      clock,
      collect(
        sessions.stream(
          "a",
          async function* () {
            yield 1
            await gate().promise
          },
          { signal: gone.signal },
        ),
      ),
    )
    await clock.advance(0)
    gone.abort(new Error("gone"))
    await settle()
    expect(reading.outcome).toBe("error gone")
  })

  test.each(["close", "restart", "drain"] as const)(
    "L5, L13: %s while streaming: given back, told, released",
    async (verb) => {
      const it = world({ timeouts })
      const { clock, ledger, sessions } = it
      const stream = sessions.stream("a", async function* ({ serial }) {
        try {
          yield serial
          yield serial
        } finally {
          ledger.lines.push("given back")
        }
      })
      const iterator = stream[Symbol.asyncIterator]()
      await iterator.next()
      const ended = watch(
        clock,
        Promise.resolve(verb === "drain" ? sessions.drain({ finishWithin: 0 }) : sessions[verb]("a")),
      )
      await clock.advance(0)
      expect(ended.at).toBe(0)
      expect(ledger.lines).toEqual(["open a#1", "given back", "release a#1"])
      const read = watch(clock, iterator.next())
      await settle()
      expect(read.outcome).toBe(
        `TaskStopped ${{ close: "Closed", restart: "Restarted", drain: "Drained" }[verb]}`,
      )
      expect([fieldOf(read, "started"), fieldOf(read, "abandoned"), fieldOf(read, "cause")]).toEqual([
        true,
        false,
        undefined,
      ])
      await expectNothingLeft(it)
    },
  )

  test("L5, L13: close while an element is being made: told when it ends; abandoned when it does not", async () => {
    for (const ends of [true, false]) {
      const { clock, sessions } = world({ timeouts })
      const reading = watch(
        clock,
        collect(
          sessions.stream("a", async function* () {
            yield 1
            await clock.after(ends ? 500 : 100_000)
            throw new Error("stopped")
          }),
        ),
      )
      await clock.advance(100)
      void sessions.close("a")
      await clock.advance(4000)
      expect([reading.outcome, reading.at, fieldOf(reading, "abandoned")]).toEqual([
        "TaskStopped Closed",
        ends ? 500 : 1100,
        !ends,
      ])
    }
  })

  test("L6: a stream that is replaced is told at once, and given back before the next turn starts", async () => {
    const { clock, sessions } = world({ timeouts, whenBusy: "replace" })
    const lines: Array<string> = []
    const stream = sessions.stream("a", async function* () {
      try {
        yield 1
        yield 2
      } finally {
        await clock.after(300)
        lines.push(`given back at ${clock.now}`)
      }
    })
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    const next = sessions.run("a", () => lines.push("next"))
    const read = watch(clock, iterator.next())
    await clock.advance(1000)
    await next
    expect([read.outcome, read.at]).toEqual(["TaskStopped Replaced", 0])
    expect(lines).toEqual(["given back at 300", "next"])
  })

  test("L5: a finally that throws after we stopped it is the cause of the interruption", async () => {
    const { clock, sessions } = world({ timeouts })
    const own = new Error("in finally")
    const stream = sessions.stream("a", async function* () {
      try {
        yield 1
        yield 2
      } finally {
        // oxlint-disable-next-line no-unsafe-finally -- what this test is about
        throw own
      }
    })
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    void sessions.close("a")
    await clock.advance(0)
    await expect(iterator.next()).rejects.toMatchObject({ reason: "Closed", cause: own })
  })
})
