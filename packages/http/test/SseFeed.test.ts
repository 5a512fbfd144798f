import { SessionMisuse, SessionRefused, TaskStopped, type SessionStream } from "@sojourn/core"
import fc from "fast-check"
import { getEventListeners } from "node:events"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { SseFeed, type SseOptions } from "../src/index.ts"
import { next, parseEvents, registry, rest, Source } from "./support.ts"

// Of timers only: the registry and the streams are real.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const started = async <A>(options: SseOptions<A> = {}, resumable = false) => {
  const sessions = registry()
  const source = new Source<A>()
  const stream = sessions.stream("secret-key", source.read, { resumable })
  const feed = new SseFeed(stream, options)
  await stream.started
  return { sessions, source, stream, feed }
}
const done = { done: true, value: undefined }
/** What is under way without a timer has come to its end. */
const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))
const textOf = async (feed: SseFeed<never>): Promise<string> => (await rest(feed)).join("")

describe("the text", () => {
  test("L2: elements with ids, then one last event", async () => {
    const { source, stream, feed } = await started<unknown>({ done: "[DONE]" })
    source.give({ n: 1 }, "two", undefined, null)
    source.end()
    const events = parseEvents(await textOf(feed))
    expect(events.map(({ data }) => data)).toEqual(['{"n":1}', '"two"', "null", "null", "[DONE]"])
    const ids = events.map(({ lastEventId }) => lastEventId)
    expect(ids[0]).toMatch(new RegExp(String.raw`^${stream.id}\.[0-9a-f]{12}:1$`))
    // The last event has none of its own: who has it has all.
    expect(ids.map((id) => id.split(":")[1])).toEqual(["1", "2", "3", "4", "4"])
    expect(feed.failure).toBeUndefined()
    expect(await feed.next()).toEqual(done)
  })

  test("an empty stream is an empty text", async () => {
    const { source, feed } = await started()
    source.end()
    expect(await textOf(feed)).toBe("")
  })

  test("L19: whatever an element's text is, it is one event with that text", async () => {
    const breaks = fc.constantFrom(
      "\r",
      "\n",
      "\r\n",
      "\n\n",
      "data: x",
      "event: error",
      "id: 9",
      ":",
      " ",
      "\0",
    )
    const texts = fc
      .array(fc.oneof(breaks, fc.string({ unit: "binary", maxLength: 5 })), { maxLength: 8 })
      .map((pieces) => pieces.join(""))
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { maxLength: 5 }), async (all) => {
        const sessions = registry()
        const stream = sessions.stream("a", async function* () {
          yield* all
        })
        const feed = new SseFeed(stream, { encode: (text) => text })
        const events = parseEvents(await textOf(feed))
        expect(events.map(({ data }) => data)).toEqual(all.map((text) => text.replaceAll(/\r\n|\r/g, "\n")))
        expect(events.every(({ event }) => event === "message")).toBe(true)
        expect(events.map(({ lastEventId }) => lastEventId.split(":")[1])).toEqual(
          all.map((_text, index) => String(index + 1)),
        )
      }),
      { numRuns: 300 },
    )
  })

  test.for<readonly [SseOptions<never>["retry"], string]>([
    [2000, "retry: 2000"],
    ["1.5 seconds", "retry: 1500"],
    [0.2, "retry: 1"],
    [0, "retry: 0"],
    ["Infinity", "retry: 2147483647"],
    [1e21, "retry: 2147483647"],
  ])("retry %j is told at the beginning, in digits: %s", async ([retry, line]) => {
    const { source, feed } = await started({ retry })
    source.give(1)
    source.end()
    const text = await textOf(feed as SseFeed<never>)
    expect(text.startsWith(`${line}\n\nid: `)).toBe(true)
    expect(parseEvents(text)).toHaveLength(1)
  })
})

describe("silence", () => {
  /** Comes to be waiting, and lets time pass. */
  const quiet = async (feed: SseFeed<unknown>, ms: number) => {
    let text: IteratorResult<string, undefined> | undefined
    const asked = feed.next().then((result) => (text = result))
    await vi.advanceTimersByTimeAsync(ms)
    return { asked, text: () => text }
  }

  test("a comment after 15 seconds, again and again; the source is asked once", async () => {
    const { source, feed } = await started<number>()
    for (let time = 0; time < 3; time++) {
      const before = await quiet(feed, 14_999)
      expect(before.text()).toBeUndefined()
      await vi.advanceTimersByTimeAsync(1)
      expect(before.text()).toEqual({ done: false, value: ": keep-alive\n\n" })
    }
    expect(source.asked).toBe(1)
    const after = await quiet(feed, 1000)
    source.give(7, 8)
    await after.asked
    await settled()
    expect(source.asked).toBe(1)
    expect(parseEvents(after.text()?.value ?? "")).toMatchObject([{ data: "7" }])
    expect(parseEvents((await feed.next()).value ?? "")).toMatchObject([{ data: "8" }])
    // The silence begins anew, and nothing was lost to those who had asked before.
    const again = await quiet(feed, 14_999)
    expect(again.text()).toBeUndefined()
  })

  test("what came while nobody waited is given at once, and is no silence", async () => {
    const { source, feed } = await started<number>({ keepAlive: "1 second" })
    const first = await quiet(feed, 1000)
    expect(first.text()?.value).toBe(": keep-alive\n\n")
    source.give(1, 2)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(parseEvents((await feed.next()).value ?? "")).toMatchObject([{ data: "1" }])
    // Nothing is asked for ahead.
    await settled()
    expect(source.asked).toBe(1)
  })

  test.for<readonly [SseOptions<never>["keepAlive"]]>([["Infinity"], ["30 days"]])(
    "keepAlive %j says nothing, and sets no timer",
    async ([keepAlive]) => {
      const { source, feed } = await started<number>({ keepAlive })
      const timers = vi.getTimerCount()
      const waiting = await quiet(feed, 0)
      expect(vi.getTimerCount()).toBe(timers)
      await vi.advanceTimersByTimeAsync(100_000)
      expect(waiting.text()).toBeUndefined()
      source.end()
      await waiting.asked
      expect(waiting.text()).toEqual(done)
    },
  )

  test.for<readonly [string, (feed: SseFeed<number>, source: Source<number>) => unknown]>([
    ["an element", (_feed, source) => source.give(1)],
    ["its end", (_feed, source) => source.end()],
    ["a failure", (_feed, source) => source.fail(new Error("mine"))],
    ["leaving it", (feed) => feed.leave()],
  ])("no timer is left by %s", async ([, happens]) => {
    const set = vi.spyOn(globalThis, "setTimeout")
    const cleared = vi.spyOn(globalThis, "clearTimeout")
    const { source, feed } = await started<number>({ keepAlive: 12_345 })
    const asked = feed.next()
    await source.waiting.promise
    const at = set.mock.calls.findIndex(([, delay]) => delay === 12_345)
    const timer = set.mock.results[at]?.value
    expect(timer).toBeDefined()
    expect(cleared).not.toHaveBeenCalledWith(timer)
    happens(feed, source)
    await asked
    expect(cleared).toHaveBeenCalledWith(timer)
  })
})

describe("leaving", () => {
  test("L5: return while it waits ends the wait and cancels the stream", async () => {
    const { sessions, source, feed } = await started<number>()
    const ended = next(sessions, "TaskEnded")
    const asked = feed.next()
    await source.waiting.promise
    expect(await feed.return()).toEqual(done)
    expect(await asked).toEqual(done)
    expect((await ended).outcome).toBe("cancelled")
    expect(await feed.next()).toEqual(done)
    expect(await feed.return()).toEqual(done)
    expect(feed.failure).toBeUndefined()
  })

  test("L5: a stream left before its turn never begins", async () => {
    const sessions = registry()
    const go = Promise.withResolvers<void>()
    const before = sessions.run("a", () => go.promise)
    const source = new Source<number>()
    const stream = sessions.stream("a", source.read)
    const feed = new SseFeed(stream, {})
    feed.leave()
    await expect(stream.started).rejects.toMatchObject({ reason: "Cancelled", started: false })
    expect(await feed.next()).toEqual(done)
    go.resolve()
    await before
    await sessions.run("a", () => {})
    expect(source.asked).toBe(0)
  })

  test("L5: one that was never read is cancelled as well", async () => {
    const { sessions, feed } = await started<number>()
    const ended = next(sessions, "TaskEnded")
    feed.leave()
    expect((await ended).outcome).toBe("cancelled")
  })

  test("L5: a break of `for await` leaves it", async () => {
    const { sessions, source, feed } = await started<number>()
    const ended = next(sessions, "TaskEnded")
    source.give(1, 2)
    for await (const text of feed) if (text !== "") break
    expect((await ended).outcome).toBe("cancelled")
  })

  test("L5: a resumable stream goes on, and is found again behind what was read", async () => {
    const { sessions, source, feed } = await started<number>({}, true)
    source.give(1)
    expect(parseEvents((await feed.next()).value ?? "")).toMatchObject([{ data: "1" }])
    const asked = feed.next()
    feed.leave()
    expect(await asked).toEqual(done)
    source.give(2)
    source.end()
    const again = await sessions.resume("secret-key", { after: 1 })
    expect(parseEvents(await textOf(new SseFeed(again as SessionStream<never>, {})))).toMatchObject([
      { data: "2" },
    ])
  })

  test("L5: what fails because it was left is told to nobody, though it failed first", async () => {
    const sessions = registry()
    const leaving = new AbortController()
    const source = new Source<number>()
    const feed = new SseFeed(sessions.stream("a", source.read, { signal: leaving.signal }), {})
    const asked = feed.next()
    await source.waiting.promise
    // As it is when a connection closes: the call hears of it, and then the feed.
    leaving.abort(new Error("gone"))
    feed.leave()
    expect(await asked).toEqual(done)
    expect(feed.failure).toBeUndefined()
  })

  test("L5: it does not wait for a stream that takes its time to end", async () => {
    const { stream, feed: read } = await started<number>()
    read.leave()
    const disposed: Array<string> = []
    const slow: SessionStream<number> = {
      id: stream.id,
      started: stream.started,
      draining: stream.draining,
      entries: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
      [Symbol.asyncDispose]: () => {
        disposed.push("asked")
        return new Promise(() => {})
      },
    }
    const feed = new SseFeed(slow, {})
    const asked = feed.next()
    feed.leave()
    expect(await asked).toEqual(done)
    expect(disposed).toEqual(["asked"])
  })
})

describe("failing", () => {
  const failed = { error: { tag: "Error", reason: "Failed" } }
  const last = (text: string): unknown => {
    expect(text).not.toContain("secret")
    const { event, data } = parseEvents(text).at(-1) ?? {}
    return event === "error" ? JSON.parse(data ?? "") : data
  }

  test("L17: an error of the application is its own last event, and kept for its log", async () => {
    const { source, feed } = await started<number>({ done: "[DONE]" })
    const own = new Error("secret message")
    source.give(1)
    source.fail(own)
    const text = await textOf(feed as SseFeed<never>)
    expect(last(text)).toEqual(failed)
    expect(text).not.toContain("[DONE]")
    expect(feed.failure).toEqual({ error: own })
  })

  test("L17: an error of ours says its tag and its reason, and is not kept", async () => {
    const { sessions, source, feed } = await started<number>()
    const text = textOf(feed as SseFeed<never>)
    await source.waiting.promise
    await sessions.close("secret-key")
    expect(last(await text)).toEqual({ error: { tag: "TaskStopped", reason: "Closed" } })
    expect(feed.failure).toBeUndefined()
  })

  test("L9: so does a refusal that nobody waited for", async () => {
    const sessions = registry({ whenBusy: "reject" })
    const go = Promise.withResolvers<void>()
    const busy = sessions.run("a", () => go.promise)
    const feed = new SseFeed(sessions.stream("a", new Source<number>().read), {})
    expect(last(await textOf(feed as SseFeed<never>))).toEqual({
      error: { tag: "SessionRefused", reason: "Busy" },
    })
    go.resolve()
    await busy
  })

  test.for<readonly [string, (element: unknown) => string]>([
    [
      "throws",
      () => {
        throw new Error("secret-key")
      },
    ],
    ["gives no text", () => 7 as never],
    ["gives nothing", () => undefined as never],
    ["cannot write it", (element) => JSON.stringify([element, 1n])],
  ])("L5: encode that %s ends the stream with an error of the application", async ([, encode]) => {
    const { sessions, source, feed } = await started<unknown>({ encode, done: "[DONE]" })
    const ended = next(sessions, "TaskEnded")
    source.give("secret element", 2)
    expect(last(await textOf(feed as SseFeed<never>))).toEqual(failed)
    expect(feed.failure?.error).toBeInstanceOf(Error)
    expect((await ended).outcome).toBe("cancelled")
    expect(source.asked).toBe(1)
  })

  test("encodeError says it in the application's words, and may say nothing", async () => {
    const said = await started<number>({ encodeError: () => "two\r\nlines" })
    said.source.fail(new Error("secret"))
    expect(parseEvents(await textOf(said.feed as SseFeed<never>))).toEqual([
      { event: "error", data: "two\nlines", lastEventId: "" },
    ])
    const silent = await started<number>({ encodeError: () => undefined })
    silent.source.fail(new Error("secret"))
    expect(await textOf(silent.feed as SseFeed<never>)).toBe("")
    expect(silent.feed.failure).toBeDefined()
  })

  test.for<readonly [string, () => string]>([
    [
      "throws",
      () => {
        throw new Error("secret mistake")
      },
    ],
    ["gives no text", () => 7 as never],
  ])("encodeError that %s ends the text, and both errors are kept", async ([, encodeError]) => {
    const { source, feed } = await started<number>({ encodeError })
    const own = new Error("secret message")
    source.fail(own)
    expect(await textOf(feed as SseFeed<never>)).toBe("")
    const { error } = feed.failure ?? {}
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors).toEqual([own, expect.any(Error)])
  })
})

describe("a drain", () => {
  const draining = ": draining\n\n"

  test("L14: is told once, and the stream goes on to its own end", async () => {
    const { sessions, source, feed } = await started<number>({ done: "[DONE]" })
    const asked = feed.next()
    await source.waiting.promise
    const drained = sessions.drain()
    expect((await asked).value).toBe(draining)
    source.give(1)
    source.end()
    const events = parseEvents(await textOf(feed as SseFeed<never>))
    expect(events.map(({ data }) => data)).toEqual(["1", "[DONE]"])
    expect((await drained).cut).toEqual([])
  })

  test('L14: with onDrain "end" the answer ends at once, without its last event', async () => {
    const { sessions, source, feed } = await started<number>({ onDrain: "end", done: "[DONE]" })
    const asked = feed.next()
    await source.waiting.promise
    const drained = sessions.drain()
    expect(await asked).toEqual(done)
    expect(await feed.next()).toEqual(done)
    expect(feed.failure).toBeUndefined()
    await drained
  })

  test("L14: one that begins while nobody waits is not missed, however fast the elements come", async () => {
    const finishing = await started<number>()
    finishing.source.give(1, 2, 3)
    await finishing.feed.next()
    const finished = finishing.sessions.drain()
    expect((await finishing.feed.next()).value).toBe(draining)
    expect((await finishing.feed.next()).value).toContain("data: 2")
    finishing.source.end()
    await rest(finishing.feed)
    await finished

    const ending = await started<number>({ onDrain: "end" })
    ending.source.give(1, 2, 3)
    await ending.feed.next()
    const ended = ending.sessions.drain()
    expect(await ending.feed.next()).toEqual(done)
    await ended
  })

  test("L14: who comes back while it goes on is told at once; with onDrain end it goes to another process", async () => {
    const { sessions, source } = await started<number>({}, true)
    source.give(1)
    const drained = sessions.drain()
    const again = (await sessions.resume("secret-key", { after: 0 })) as SessionStream<number>
    const ending = new SseFeed(again, { onDrain: "end", retry: 1000 })
    expect((await ending.next()).value).toBe("retry: 1000\n\n")
    expect(await ending.next()).toEqual(done)
    const finishing = new SseFeed((await sessions.resume("secret-key", { after: 0 }))!, {}) // oxlint-disable-line typescript/no-non-null-assertion
    expect((await finishing.next()).value).toBe(draining)
    source.end()
    expect(parseEvents((await rest(finishing)).join(""))).toMatchObject([{ data: "1" }])
    expect((await drained).cut).toEqual([])
  })

  test("L16: many streams listen to one drain without a warning, and none goes on listening when it is over", async () => {
    const warnings: Array<Error> = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on("warning", warned)
    try {
      const sessions = registry()
      const sources = Array.from({ length: 40 }, () => new Source<number>())
      const feeds = sources.map((source, index) => new SseFeed(sessions.stream(`a${index}`, source.read), {}))
      const { draining: signal } = sessions
      const before = getEventListeners(signal, "abort").length
      const asked = feeds.map((feed) => feed.next())
      expect(getEventListeners(signal, "abort")).toHaveLength(before + 40)
      for (const [index, source] of sources.entries()) {
        if (index % 3 === 0) source.end()
        else if (index % 3 === 1) source.fail(new Error("mine"))
        else feeds[index]?.leave()
      }
      await Promise.all(asked)
      await Promise.all(feeds.map((feed) => rest(feed)))
      expect(getEventListeners(signal, "abort")).toHaveLength(before)
      await new Promise((resolve) => setImmediate(resolve))
      expect(warnings).toEqual([])
    } finally {
      process.off("warning", warned)
    }
  })
})

describe("options", () => {
  test.for<readonly [string, object]>([
    ["a misspelt one", { keepalive: 1000 }],
    ["a keepAlive too short", { keepAlive: 999 }],
    ["a retry below zero", { retry: -1 }],
    ["encode that is no function", { encode: "json" }],
    ["encodeError that is no function", { encodeError: {} }],
    ["done that is no text", { done: true }],
    ["an unknown onDrain", { onDrain: "wait" }],
    ["headers that are a list", { headers: [] }],
    ["a header with a line break", { headers: { "x-own": "secret\r\nset-cookie: x=y" } }],
    ["a header that is no text", { headers: { "x-own": ["secret"] } }],
    ["a header name with a space", { headers: { "x own": "secret" } }],
  ])("L17: %s is an InvalidOption, and the stream is not left running for it", async ([, options]) => {
    const sessions = registry()
    const ended = next(sessions, "TaskEnded")
    const stream = sessions.stream("a", new Source<number>().read)
    await stream.started
    const make = (): unknown => new SseFeed(stream, options)
    expect(make).toThrow(SessionMisuse)
    expect(make).toThrow(expect.objectContaining({ reason: "InvalidOption" }))
    expect(make).not.toThrow(/secret/)
    expect((await ended).outcome).toBe("cancelled")
  })

  test("a stream that is being read already stays with its reader", async () => {
    const { stream, source, feed } = await started<number>()
    expect(() => new SseFeed(stream, {})).toThrow("one consumer")
    source.give(1)
    source.end()
    expect(parseEvents(await textOf(feed as SseFeed<never>))).toHaveLength(1)
  })
})

test("L17: what kept it from beginning is told by the stream itself, so that it is still a status", async () => {
  const sessions = registry({ maxQueued: 0 })
  const go = Promise.withResolvers<void>()
  const busy = sessions.run("a", () => go.promise)
  const stream = sessions.stream("a", new Source<number>().read)
  const feed = new SseFeed(stream, {})
  await expect(stream.started).rejects.toBeInstanceOf(SessionRefused)
  await expect(stream.started).rejects.not.toBeInstanceOf(TaskStopped)
  feed.leave()
  go.resolve()
  await busy
})
