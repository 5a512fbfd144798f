import { createHash } from "node:crypto"
import { once } from "node:events"
import { request, type IncomingMessage } from "node:http"
import { connect as connectHttp2, type ClientHttp2Stream } from "node:http2"
import type { Readable } from "node:stream"
import { describe, expect, onTestFinished, test } from "vitest"
import { BodyFeed, SseFeed, writeAll, type Feed, type NodeResponse } from "../src/index.ts"
import { next, parseEvents, registry, serve, serveHttp2, Source, writable } from "./support.ts"

type Handle = (req: unknown, res: NodeResponse) => unknown
interface Client {
  /** The body, paused, as soon as the head is there. */
  readonly body: Promise<Readable>
  readonly leave: () => void
}
interface Protocol {
  readonly serve: (handle: Handle) => Promise<string>
  readonly ask: (url: string, method?: string) => Client
  /** Was it told that this is not the whole? */
  readonly isBroken: (body: Readable) => boolean
}
const http1: Protocol = {
  serve,
  ask: (url, method = "GET") => {
    const asking = request(url, { method }).end()
    asking.on("error", () => {})
    const head = once(asking, "response") as Promise<[IncomingMessage]>
    const body = head.then(([response]) => response.on("error", () => {}))
    return { body, leave: () => asking.destroy() }
  },
  isBroken: (body) => body.errored !== null,
}
const http2: Protocol = {
  serve: serveHttp2,
  ask: (url, method = "GET") => {
    const session = connectHttp2(url)
    session.on("error", () => {})
    onTestFinished(() => session.destroy())
    const asking = session.request({ ":path": "/", ":method": method })
    asking.on("error", () => {})
    return { body: once(asking, "response").then(() => asking), leave: () => asking.close(8) }
  },
  isBroken: (body) => (body as ClientHttp2Stream).rstCode !== 0,
}
const textOf = async (body: Readable): Promise<string> => {
  let text = ""
  body.setEncoding("utf8").on("data", (chunk: string) => void (text += chunk))
  if (!body.closed) await new Promise((resolve) => body.once("close", resolve))
  return text
}
const listeners = (res: NodeResponse): ReadonlyArray<number> =>
  ["close", "drain", "finish", "error"].map((event) => res.listenerCount(event))
const listenersOf = (res: NodeResponse): number => listeners(res).reduce((sum, count) => sum + count, 0)

/** Answers with what the test makes; tells how that ended. */
const answering = async (
  { serve: serveIt }: Protocol,
  answer: (res: NodeResponse) => Promise<unknown>,
): Promise<{ url: string; outcome: Promise<unknown>; res: Promise<NodeResponse> }> => {
  const outcome = Promise.withResolvers<unknown>()
  const res = Promise.withResolvers<NodeResponse>()
  const url = await serveIt((_req, given) => {
    res.resolve(given)
    answer(given).then(
      () => outcome.resolve("resolved"),
      (error: unknown) => outcome.resolve(error),
    )
  })
  return { url, outcome: outcome.promise, res: res.promise }
}
const block = Buffer.alloc(64 * 1024, "0123456789abcdef")

describe.for<readonly [string, Protocol]>([
  ["HTTP/1.1", http1],
  ["HTTP/2", http2],
])("%s", ([, protocol]) => {
  const { ask, isBroken } = protocol

  test("L2: all of it, ended and sent, and no listener of ours is left", async () => {
    const source = new Source<number>()
    let before: ReadonlyArray<number> = []
    let finished = false
    const { url, outcome, res } = await answering(protocol, async (given) => {
      given.on("finish", () => (finished = true))
      before = listeners(given)
      await writeAll(given, new SseFeed(registry().stream("a", source.read), { done: "[DONE]" }))
      expect(finished).toBe(true)
    })
    const body = ask(url).body
    source.give(1, 2)
    source.end()
    const events = parseEvents(await textOf(await body))
    expect(events.map(({ data }) => data)).toEqual(["1", "2", "[DONE]"])
    expect(await outcome).toBe("resolved")
    expect(listeners(await res)).toEqual(before)
    expect(isBroken(await body)).toBe(false)
  })

  test("an empty chunk is nothing, also between others, and an empty feed is an empty answer", async () => {
    const feedOf = (...chunks: ReadonlyArray<string>): Feed => ({
      leave: () => {},
      async *[Symbol.asyncIterator]() {
        yield* chunks
      },
    })
    for (const chunks of [["", "a", ""], ["a", "", "b"], ["", ""], []]) {
      const { url, outcome } = await answering(protocol, (res) => writeAll(res, feedOf(...chunks)))
      expect(await textOf(await ask(url).body)).toBe(chunks.join(""))
      expect(await outcome).toBe("resolved")
    }
  })

  test("L5: a client that reads nothing holds a few blocks, however many there are; that one leaves, leaves the stream", async () => {
    let made = 0
    const sessions = registry()
    const ended = next(sessions, "TaskEnded")
    const { url, outcome, res } = await answering(protocol, (given) => {
      const stream = sessions.stream("a", async function* () {
        for (; made < 10_000; made++) yield block
      })
      return writeAll(given, new BodyFeed(stream, {}))
    })
    const client = ask(url)
    await client.body
    const given = await res
    // Blocked: what was written waits, and nothing more is asked for.
    while (!given.writableNeedDrain || given.listenerCount("drain") === 0)
      await new Promise((resolve) => setImmediate(resolve))
    const blocked = made
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    // The kernel's buffers take some more.
    expect(made).toBeLessThan(blocked + 500)
    // All of it would be 640 MB.
    expect(made * block.length).toBeLessThan(64 * 1024 * 1024)
    expect(given.writableLength).toBeLessThan(4 * block.length)
    client.leave()
    expect(await outcome).toBe("resolved")
    expect((await ended).outcome).toBe("cancelled")
  })

  test("L2: a client that pauses and goes on has every byte, and no wait leaves a listener", async () => {
    const count = 400
    let [waits, before, most] = [0, 0, 0]
    const { url, outcome } = await answering(protocol, (res) => {
      before = listenersOf(res)
      res.on("drain", () => waits++)
      const stream = registry().stream("a", async function* () {
        for (let index = 0; index < count; index++) {
          most = Math.max(most, listenersOf(res))
          yield Buffer.concat([Buffer.from(`${index}\n`), block])
        }
      })
      return writeAll(res, new BodyFeed(stream, {}))
    })
    const body = await ask(url).body
    const [got, expected] = [createHash("sha256"), createHash("sha256")]
    let read = 0
    for await (const chunk of body) {
      got.update(chunk as Buffer)
      // Slower than it is made.
      if (++read % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    for (let index = 0; index < count; index++) expected.update(`${index}\n`).update(block)
    expect(got.digest("hex")).toBe(expected.digest("hex"))
    expect(await outcome).toBe("resolved")
    expect(waits).toBeGreaterThan(20)
    // The test's own, two that stay, and two of the wait there is.
    expect(most - before).toBeLessThanOrEqual(5)
  })

  test("L5: a feed that fails breaks the answer off, is left, and the error comes through", async () => {
    const own = new Error("mine")
    let left = 0
    const { url, outcome } = await answering(protocol, (res) => {
      const feed: Feed = {
        leave: () => void left++,
        async *[Symbol.asyncIterator]() {
          yield "a part"
          await client.body
          throw own
        },
      }
      return writeAll(res, feed)
    })
    const client = ask(url)
    const body = await client.body
    expect(await textOf(body)).toBe("a part")
    expect(isBroken(body)).toBe(true)
    expect(await outcome).toBe(own)
    expect(left).toBeGreaterThan(0)
  })

  test("L5: encode that throws half-way breaks the answer off, and its turn does not run on", async () => {
    const sessions = registry()
    const ended = next(sessions, "TaskEnded")
    const source = new Source<number>()
    const { url, outcome } = await answering(protocol, (res) => {
      const encode = (n: number): string => {
        if (n === 2) throw new Error("secret")
        return "a part"
      }
      return writeAll(res, new BodyFeed(sessions.stream("a", source.read), { encode }))
    })
    source.give(1)
    const body = await ask(url).body
    source.give(2, 3)
    expect(await textOf(body)).toBe("a part")
    expect(isBroken(body)).toBe(true)
    expect(await outcome).toMatchObject({ message: "secret" })
    expect((await ended).outcome).toBe("cancelled")
  })

  test("L5: a chunk that cannot be written does the same", async () => {
    let left = 0
    const { url, outcome } = await answering(protocol, (res) => {
      const feed: Feed = {
        leave: () => void left++,
        async *[Symbol.asyncIterator]() {
          yield "a part"
          await client.body
          yield 7 as never
        },
      }
      return writeAll(res, feed)
    })
    const client = ask(url)
    await textOf(await client.body)
    expect(await outcome).toBeInstanceOf(TypeError)
    expect(left).toBeGreaterThan(0)
  })

  test("L5: an answer that was closed before leaves the feed, and writes nothing", async () => {
    const sessions = registry()
    const ended = next(sessions, "TaskEnded")
    const { url, outcome } = await answering(protocol, async (res) => {
      const stream = sessions.stream("a", new Source<number>().read)
      await stream.started
      const closed = once(res, "close")
      writable(res).write("a part")
      await client.body
      client.leave()
      await closed
      await writeAll(res, new SseFeed(stream, {}))
    })
    const client = ask(url)
    expect(await outcome).toBe("resolved")
    expect((await ended).outcome).toBe("cancelled")
  })

  test("L5: a client that leaves while the stream says nothing leaves it", async () => {
    const sessions = registry()
    const ended = next(sessions, "TaskEnded")
    const source = new Source<number>()
    const { url, outcome } = await answering(protocol, (res) =>
      writeAll(res, new SseFeed(sessions.stream("a", source.read), {})),
    )
    source.give(1)
    const client = ask(url)
    await client.body
    client.leave()
    expect(await outcome).toBe("resolved")
    expect((await ended).outcome).toBe("cancelled")
  })

  test("HEAD has no body: the stream is left, however long it would be", async () => {
    const sessions = registry()
    const ended = next(sessions, "TaskEnded")
    const { url, outcome } = await answering(protocol, async (res) => {
      const stream = sessions.stream("a", async function* () {
        for (;;) yield "for ever"
      })
      await stream.started
      await writeAll(res, new SseFeed(stream, {}))
    })
    const body = await ask(url, "HEAD").body
    expect(await textOf(body)).toBe("")
    expect(await outcome).toBe("resolved")
    expect((await ended).outcome).toBe("cancelled")
  })
})

test("an answer that the application ends or destroys meanwhile is an error or a client gone, and never ends the process", async () => {
  for (const what of ["end", "destroy"] as const) {
    const sessions = registry()
    const source = new Source<string>()
    const turn = next(sessions, "TaskEnded")
    const { url, outcome, res } = await answering(http1, (given) =>
      writeAll(given, new BodyFeed(sessions.stream("a", source.read), {})),
    )
    source.give("a part")
    const body = await http1.ask(url).body
    const given = await res
    writable(given)[what]()
    source.give("more")
    await textOf(body)
    const ended = await outcome
    if (what === "destroy") expect(ended).toBe("resolved")
    else
      expect(["resolved", "ERR_STREAM_WRITE_AFTER_END"]).toContain(
        (ended as { code?: unknown }).code ?? ended,
      )
    expect((await turn).outcome).toBe("cancelled")
  }
})
