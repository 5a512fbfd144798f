import { getEventListeners } from "node:events"
import { describe, expect, test } from "vitest"
import { SessionRefused } from "../../src/errors.ts"
import { collect } from "../support/collect.ts"
import { gate, world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 10_000, stall: 2000, grace: 1000, close: 3000 }

/** One element every 100 ms. */
const ticking = (it: ReturnType<typeof world>, count: number, lines: Array<string> = []) =>
  async function* ticks() {
    for (let n = 1; n <= count; n++) {
      await it.clock.after(100)
      lines.push(`made ${n}`)
      yield `tick ${n}`
    }
  }

describe("resumable streams", () => {
  test("L2: the consumer's leaving does not cancel; the stream goes on without a reader, and never stalls", async () => {
    const it = world({ timeouts })
    const { clock, events, sessions } = it
    const lines: Array<string> = []
    const stream = sessions.stream("a", ticking(it, 60, lines), { resumable: true })
    const first = (async () => {
      for await (const tick of stream) return tick
      return undefined
    })()
    await clock.advance(100)
    expect(await first).toBe("tick 1")
    await clock.advance(5900)
    expect(lines).toHaveLength(60)
    expect(events.find((event) => event._tag === "TaskEnded")).toMatchObject({ outcome: "succeeded" })
    await expectNothingLeft(it)
  })

  test("L2: a disposed reader, and one whose signal aborts, leave; the others read on", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const gone = new AbortController()
    const stream = sessions.stream("a", ticking(it, 4), { resumable: true, signal: gone.signal })
    const one = watch(clock, collect(stream))
    await clock.advance(150)
    const two = await sessions.resume("a")
    const reading = two && watch(clock, collect(two))
    const three = await sessions.resume("a")
    const disposed = three && watch(clock, collect(three))
    gone.abort(new Error("gone"))
    await three?.[Symbol.asyncDispose]()
    await settle()
    expect([one.outcome, disposed?.outcome]).toEqual(["error gone", "value tick 1"])
    await clock.advance(300)
    expect(reading?.value).toEqual(["tick 1", "tick 2", "tick 3", "tick 4"])
  })

  test("L2: several readers, each from where it was; entries are numbered from 1", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    sessions.stream("a", ticking(it, 5), { resumable: true })
    await clock.advance(300)
    const readers = await Promise.all([
      sessions.resume("a"),
      sessions.resume("a", { after: 0 }),
      sessions.resume("a", { after: 2 }),
      sessions.at("a", { after: 3 }).resume(),
      sessions.resume("a", { after: 9 }),
    ])
    const reading = readers.map((reader) => (reader ? watch(clock, collect(reader.entries())) : undefined))
    await clock.advance(200)
    const all = [1, 2, 3, 4, 5].map((n) => [n, `tick ${n}`])
    expect(reading.map((one) => one?.value)).toEqual([all, all, all.slice(2), all.slice(3), []])
  })

  test("L2: the newest, or the named one; nothing where nothing runs", async () => {
    const it = world({ timeouts, whenBusy: "overlap" })
    const { clock, sessions } = it
    const older = sessions.stream("a", ticking(it, 3), { resumable: true })
    const newer = sessions.stream("a", ticking(it, 2), { resumable: true })
    sessions.stream("a", ticking(it, 2))
    await clock.advance(150)
    expect((await sessions.resume("a"))?.id).toBe(newer.id)
    expect((await sessions.resume("a", { stream: older.id }))?.id).toBe(older.id)
    expect(await sessions.resume("a", { stream: "t999" })).toBeUndefined()
    expect(await sessions.resume("b")).toBeUndefined()
    await clock.advance(50)
    expect((await sessions.resume("a"))?.id).toBe(older.id)
    await clock.advance(100)
    expect(await sessions.resume("a")).toBeUndefined()
  })

  test("L2: kept after its end for `keep`, for who says where to go on", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const stream = sessions.stream("a", ticking(it, 3), { resumable: { keep: 5000 } })
    await clock.advance(300)
    expect(await sessions.resume("a")).toBeUndefined()
    await clock.advance(4999)
    const late = await sessions.resume("a", { after: 1 })
    expect(late?.id).toBe(stream.id)
    // Who found it may read on, however long it takes.
    await clock.advance(1)
    expect(await sessions.resume("a", { after: 1 })).toBeUndefined()
    expect(late && (await collect(late))).toEqual(["tick 2", "tick 3"])
  })

  test("L5: its end is every reader's end: an error comes after the elements, also for who comes later", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const own = new Error("own")
    const stream = sessions.stream(
      "a",
      async function* () {
        yield* ticking(it, 2)()
        throw own
      },
      { resumable: true },
    )
    const seen: Array<unknown> = []
    const read = async (from: AsyncIterable<unknown>): Promise<void> => {
      for await (const tick of from) seen.push(tick)
    }
    const first = watch(clock, read(stream))
    await clock.advance(1000)
    expect(first.error).toBe(own)
    const again = await sessions.resume("a", { after: 1 })
    await expect(again && read(again)).rejects.toBe(own)
    expect(seen).toEqual(["tick 1", "tick 2", "tick 2"])
  })

  test("L16: what is kept is bounded: ReplayGap for who asks for more, at once or while it lags behind", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const stream = sessions.stream("a", ticking(it, 100), { resumable: { items: 10 } })
    const slow = stream[Symbol.asyncIterator]()
    await clock.advance(100)
    expect((await slow.next()).value).toBe("tick 1")
    await clock.advance(9_900)
    await expect(sessions.resume("a", { after: 0 })).rejects.toMatchObject({
      reason: "ReplayGap",
      session: { key: "a" },
    })
    await expect(sessions.resume("a", { after: 89 })).rejects.toBeInstanceOf(SessionRefused)
    const rest = await sessions.resume("a", { after: 90 })
    expect(rest && (await collect(rest))).toHaveLength(10)
    await expect(slow.next()).rejects.toMatchObject({ reason: "ReplayGap" })
  })

  test("L16: while it runs at least `items` can be read again", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    sessions.stream("a", ticking(it, 1000), { resumable: { items: 10 } })
    for (let made = 10; made < 60; made++) {
      await clock.advance(made === 10 ? 1000 : 100)
      const reader = await sessions.resume("a", { after: made - 10 })
      const iterator = reader?.[Symbol.asyncIterator]()
      expect((await iterator?.next())?.value).toBe(`tick ${made - 9}`)
      await iterator?.return?.()
    }
  })

  test.each(["close", "restart", "cancel"] as const)(
    "L5: %s while streaming: every reader is told, and it is not found any more",
    async (verb) => {
      const it = world({ timeouts })
      const { clock, sessions } = it
      const stream = sessions.stream("a", ticking(it, 100), { resumable: true })
      const readers = [stream, await sessions.resume("a")].map(
        (reader) => reader && watch(clock, collect(reader)),
      )
      await clock.advance(250)
      void sessions[verb]("a")
      await clock.advance(100)
      const told = `TaskStopped ${{ close: "Closed", restart: "Restarted", cancel: "Cancelled" }[verb]}`
      expect(readers.map((reader) => reader?.outcome)).toEqual([told, told])
      expect(await sessions.resume("a")).toBeUndefined()
      expect(await sessions.run("a", ({ serial }) => serial)).toBe(verb === "cancel" ? 1 : 2)
    },
  )

  test("L5: a refused one leaves what was kept of others alone, and is not found itself", async () => {
    const it = world({ timeouts, whenBusy: "reject" })
    const { clock, sessions } = it
    const kept = sessions.stream("a", ticking(it, 2), { resumable: true })
    await clock.advance(300)
    const held = gate()
    const busy = sessions.run("a", () => held.promise)
    await settle()
    for (let n = 0; n < 10; n++) {
      const refused = sessions.stream("a", ticking(it, 2), { resumable: true })
      await expect(collect(refused)).rejects.toMatchObject({ reason: "Busy" })
    }
    expect((await sessions.resume("a", { after: 0 }))?.id).toBe(kept.id)
    held.open()
    await busy
  })

  test("L16: a signal that outlives many readers keeps none of them", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const client = new AbortController()
    for (let n = 0; n < 20; n++) {
      const reading = collect(
        sessions.stream("a", ticking(it, 3), { resumable: true, signal: client.signal }),
      )
      await clock.advance(300)
      expect(await reading).toHaveLength(3)
    }
    expect(getEventListeners(client.signal, "abort")).toEqual([])
  })
})
