import { SessionMisuse } from "@sojourn/core"
import { expect, test } from "vitest"
import { BodyFeed, type BodyOptions, type Chunk } from "../src/index.ts"
import { next, registry, rest, Source } from "./support.ts"

const of = <A>(options: BodyOptions<A> = {}, resumable = false) => {
  const sessions = registry()
  const source = new Source<A>()
  const stream = sessions.stream("secret-key", source.read, { resumable })
  return { sessions, source, stream, feed: new BodyFeed(stream, options) }
}
const done = { done: true, value: undefined }

const bodyOf = async <A>(elements: ReadonlyArray<A>, options: BodyOptions<A> = {}) => {
  const { source, feed } = of(options)
  source.give(...elements)
  source.end()
  const headers = await feed.headers()
  return { type: headers["content-type"], chunks: await rest(feed) }
}
const [plain, bytes, lines] = [
  "text/plain; charset=utf-8",
  "application/octet-stream",
  "application/x-ndjson",
]
const cyclic: { self?: unknown } = {}
cyclic.self = cyclic

test.for<readonly [string, ReadonlyArray<unknown>, string, ReadonlyArray<Chunk>]>([
  ["texts, but for those that are nothing to send", ["", "a", "", "b\n"], plain, ["a", "b\n"]],
  ["bytes", [Uint8Array.of(1), Buffer.from("b")], bytes, [Uint8Array.of(1), Buffer.from("b")]],
  ["anything else", [{ n: 1 }, 2, null, [3]], lines, ['{"n":1}\n', "2\n", "null\n", "[3]\n"]],
  ["nothing in particular", [undefined, undefined], lines, ["null\n", "null\n"]],
  ["a text after objects: one more line", [{ n: 1 }, "two"], lines, ['{"n":1}\n', '"two"\n']],
  ["an object after texts", ["a", { n: 1 }], plain, ["a", '{"n":1}\n']],
  ["none at all", [], plain, []],
])("L2: %s", async ([, elements, type, chunks]) => {
  expect(await bodyOf(elements)).toEqual({ type, chunks })
})

test("encode is asked once for each element, the first one included", async () => {
  const asked: Array<unknown> = []
  const encode = (element: number): string => {
    asked.push(element)
    return `<${element}>`
  }
  expect(await bodyOf([1, 2, 3], { encode })).toEqual({ type: plain, chunks: ["<1>", "<2>", "<3>"] })
  expect(asked).toEqual([1, 2, 3])
  expect(await bodyOf([1], { encode: (element) => Uint8Array.of(element) })).toEqual({
    type: bytes,
    chunks: [Uint8Array.of(1)],
  })
})

test("headers of the application take the place of ours, however they are written", async () => {
  const { source, feed } = of({ headers: { "Content-Type": "text/csv", "X-Own": "1" } })
  source.give("a")
  expect(await feed.headers()).toEqual({
    "content-type": "text/csv",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-own": "1",
  })
})

test("it can be read without asking for the headers", async () => {
  const { source, feed } = of()
  source.give({ n: 1 })
  source.end()
  expect(await rest(feed)).toEqual(['{"n":1}\n'])
})

test("L9: a refusal is told before the headers", async () => {
  const sessions = registry({ whenBusy: "reject" })
  const go = Promise.withResolvers<void>()
  const busy = sessions.run("a", () => go.promise)
  const feed = new BodyFeed(sessions.stream("a", new Source<string>().read), {})
  await expect(feed.headers()).rejects.toMatchObject({ _tag: "SessionRefused", reason: "Busy" })
  expect(await feed.next()).toEqual(done)
  go.resolve()
  await busy
})

test("L5: what fails before the first element rejects before the headers, untouched", async () => {
  const { source, feed } = of()
  const own = new Error("mine")
  source.fail(own)
  await expect(feed.headers()).rejects.toBe(own)
  expect(await feed.next()).toEqual(done)
})

test("L5: what fails later rejects once, untouched, and nothing follows", async () => {
  const { source, feed } = of<string>()
  const own = new Error("mine")
  source.give("a")
  source.fail(own)
  await feed.headers()
  expect((await feed.next()).value).toBe("a")
  await expect(feed.next()).rejects.toBe(own)
  expect(await feed.next()).toEqual(done)
})

const wrongEncodings: ReadonlyArray<readonly [string, (element: unknown) => Chunk]> = [
  [
    "throws",
    () => {
      throw new TypeError("mine")
    },
  ],
  ["gives nothing", () => undefined as never],
  ["gives a number", () => 7 as never],
]
test.for(wrongEncodings)(
  "L5: encode that %s for the first element rejects before the headers, and the stream is left",
  async ([, encode]) => {
    const { sessions, source, feed } = of({ encode })
    const ended = next(sessions, "TaskEnded")
    source.give("secret", 2)
    await expect(feed.headers()).rejects.toBeInstanceOf(TypeError)
    expect((await ended).outcome).toBe("cancelled")
    expect(await feed.next()).toEqual(done)
    expect(source.asked).toBe(1)
  },
)
test.for(wrongEncodings)("L5: encode that %s later rejects, and the stream is left", async ([, wrong]) => {
  const { sessions, source, feed } = of<number>({ encode: (n) => (n === 1 ? "one" : wrong(n)) })
  const ended = next(sessions, "TaskEnded")
  source.give(1, 2, 3)
  await feed.headers()
  await feed.next()
  await expect(feed.next()).rejects.toBeInstanceOf(TypeError)
  expect((await ended).outcome).toBe("cancelled")
  expect(source.asked).toBe(2)
})

test.for<readonly [string, unknown]>([
  ["a cycle", cyclic],
  ["a bigint", 1n],
])("L5: an element that is %s rejects before the headers, and the stream is left", async ([, element]) => {
  const { sessions, source, feed } = of()
  const ended = next(sessions, "TaskEnded")
  source.give(element)
  await expect(feed.headers()).rejects.toBeInstanceOf(TypeError)
  expect((await ended).outcome).toBe("cancelled")
})

test("L5: left while the first element is waited for, it ends at once, and nothing is to be told", async () => {
  const { sessions, source, feed } = of()
  const ended = next(sessions, "TaskEnded")
  const headers = feed.headers()
  await source.waiting.promise
  feed.leave()
  await headers
  expect(await feed.next()).toEqual(done)
  expect((await ended).outcome).toBe("cancelled")
})

test("L5: left after the headers, the first element is not given any more", async () => {
  const { source, feed } = of<string>()
  source.give("a")
  await feed.headers()
  expect(await feed.return()).toEqual(done)
  expect(await feed.next()).toEqual(done)
})

test("L5: return while it waits ends the wait and cancels the stream", async () => {
  const { sessions, source, feed } = of<string>()
  const ended = next(sessions, "TaskEnded")
  source.give("a")
  await feed.headers()
  await feed.next()
  const asked = feed.next()
  await source.waiting.promise
  expect(await feed.return()).toEqual(done)
  expect(await asked).toEqual(done)
  expect((await ended).outcome).toBe("cancelled")
})

test("L5: a resumable stream that is left goes on", async () => {
  const { sessions, source, feed } = of<string>({}, true)
  source.give("a")
  await feed.headers()
  feed.leave()
  source.give("b")
  source.end()
  const again = await sessions.resume("secret-key", { after: 0 })
  expect(again).toBeDefined()
  if (again !== undefined) expect(await rest(again)).toEqual(["a", "b"])
})

test.for<readonly [string, object]>([
  ["a misspelt one", { encoding: "utf8" }],
  ["encode that is no function", { encode: "json" }],
  ["a header with a line break", { headers: { "x-own": "secret\nx: y" } }],
])("L17: %s is an InvalidOption, and the stream is not left running for it", async ([, options]) => {
  const sessions = registry()
  const ended = next(sessions, "TaskEnded")
  const stream = sessions.stream("a", new Source<string>().read)
  await stream.started
  const make = (): unknown => new BodyFeed(stream, options)
  expect(make).toThrow(SessionMisuse)
  expect(make).not.toThrow(/secret/)
  expect((await ended).outcome).toBe("cancelled")
})
