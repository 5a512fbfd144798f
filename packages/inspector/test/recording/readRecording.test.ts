import { createSessions } from "@sojourn/core"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { isDeepStrictEqual } from "node:util"
import { gunzipSync, gzipSync } from "node:zlib"
import { beforeAll, expect, test } from "vitest"
import { Recorder } from "../../src/recording/Recorder.ts"
import { History } from "../../src/history/History.ts"
import { readRecording, RecordingUnreadable, type ReadLimits } from "../../src/recording/readRecording.ts"
import { readAll, streamOf, toldAll } from "./support.ts"

let whole = new Uint8Array()
let text = ""
let lines: ReadonlyArray<string> = []
beforeAll(async () => {
  const sessions = createSessions({ name: "sample", open: () => ({}) })
  const recorder = new Recorder({ sessions: [sessions], history: new History({ sessions: [sessions] }) })
  using on = recorder.on()
  void on
  for (let turn = 0; turn < 200; turn++)
    await sessions
      .run(`key-${turn % 7}`, () => (turn % 5 === 0 ? Promise.reject(new Error("no")) : turn))
      .catch(() => {})
  await sessions.drain()
  await toldAll()
  whole = await recorder.recording().bytes()
  text = gunzipSync(whole).toString()
  lines = text.trimEnd().split("\n")
})

const stripped = (line: unknown): unknown => JSON.parse(JSON.stringify(line))

const reasonOf = async (stream: ReadableStream<Uint8Array>, limits?: ReadLimits): Promise<unknown> => {
  try {
    await readAll(stream, limits)
    return "read"
  } catch (error) {
    return error instanceof RecordingUnreadable ? error.reason : error
  }
}
const zippedOf = (content: string | Uint8Array): ReadableStream<Uint8Array> => streamOf(gzipSync(content))
const withHeader = (change: object): string =>
  [JSON.stringify({ ...(JSON.parse(lines[0] ?? "") as object), ...change }), ...lines.slice(1), ""].join("\n")
const withLine = (line: string): string => [...lines.slice(0, -1), line, lines.at(-1), ""].join("\n")

test("what was written is read, however the bytes are cut", async () => {
  const expected = await readAll(streamOf(whole))
  expect(expected.lines.length).toBe(lines.length - 2)
  expect(
    expected.lines.filter(
      (line, index) => !isDeepStrictEqual(stripped(line), JSON.parse(lines[index + 1] ?? "")),
    ),
  ).toEqual([])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 20 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((one, other) => one - other), whole.length]
      const chunks = places.slice(1).map((end, index) => whole.subarray(places[index], end))
      expect(await readAll(streamOf(...chunks))).toEqual(expected)
    }),
    { numRuns: 30 },
  )
})

test("truncated anywhere, it is refused as truncated", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: whole.length - 1 }), async (length) => {
      expect(await reasonOf(streamOf(whole.subarray(0, length)))).toBe("Truncated")
    }),
    { numRuns: 100 },
  )
  // Also where it was cut before it was compressed.
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: (lines[0]?.length ?? 0) + 1, max: text.length - 1 }),
      async (length) => {
        expect(["Truncated", "Corrupt"]).toContain(await reasonOf(zippedOf(text.slice(0, length))))
      },
    ),
    { numRuns: 100 },
  )
  expect(await reasonOf(zippedOf(lines.slice(0, -1).join("\n") + "\n"))).toBe("Truncated")
})

test("with any byte changed, it is read as it was or refused with a reason", async () => {
  const expected = JSON.stringify(await readAll(streamOf(whole)))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      async (changes) => {
        const bytes = new Uint8Array(whole)
        for (const [at, by] of changes) bytes[at] = (bytes[at] ?? 0) ^ by
        let result: unknown
        try {
          result = JSON.stringify(await readAll(streamOf(bytes)))
        } catch (error) {
          result = error
        }
        if (result instanceof RecordingUnreadable) return
        // Bytes of the header of gzip, its time for one, say nothing of what is in it.
        expect(result).toBe(expected)
      },
    ),
    { numRuns: 300 },
  )
})

test("with any of its text changed, it is read or refused with a reason; nothing else is thrown", async () => {
  const bytes = Buffer.from(text)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      async (changes) => {
        const changed = Buffer.from(bytes)
        for (const [at, to] of changes) changed[at] = to
        expect(await reasonOf(zippedOf(changed))).toEqual(expect.any(String))
      },
    ),
    { numRuns: 200 },
  )
})

test("what is no recording is refused as that", async () => {
  expect(await reasonOf(streamOf())).toBe("NotARecording")
  expect(await reasonOf(streamOf(new Uint8Array()))).toBe("NotARecording")
  expect(await reasonOf(streamOf(Buffer.from("PK\u0003\u0004 a zip")))).toBe("NotARecording")
  expect(await reasonOf(streamOf(Buffer.from("{"), Buffer.from("}")))).toBe("NotARecording")
  expect(await reasonOf(zippedOf(""))).toBe("NotARecording")
  for (const first of [
    "hello",
    "{}",
    "[]",
    "null",
    '"recording"',
    '{"sojourn":"recording"}',
    '{"sojourn":"recording","format":"1"}',
  ])
    expect([first, await reasonOf(zippedOf(`${first}\n`))]).toEqual([first, "NotARecording"])
  const odd = new ReadableStream({
    start: (controller) => {
      controller.enqueue("text")
      controller.close()
    },
  })
  expect(await reasonOf(odd as ReadableStream<Uint8Array>)).toBe("NotARecording")
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      expect(["NotARecording", "Truncated", "Corrupt"]).toContain(await reasonOf(streamOf(bytes)))
    }),
  )
})

test("a later format is refused as that; what a later version added to this one is left out", async () => {
  expect(await reasonOf(zippedOf(withHeader({ format: 2 })))).toBe("NewerVersion")
  expect(await reasonOf(zippedOf(withHeader({ more: { of: "it" } })))).toBe("read")
  const counted = (line: string) =>
    withLine(line).replace(`"lines":${lines.length - 2}`, `"lines":${lines.length - 1}`)
  expect(await reasonOf(zippedOf(counted('{"type":"weather","at":1}')))).toBe("read")
  expect(await reasonOf(zippedOf(counted('{"type":3}')))).toBe("Corrupt")
  expect(await reasonOf(zippedOf(counted(lines[0] ?? "")))).toBe("Corrupt")
  expect(await reasonOf(zippedOf(withLine('{"type":"weather","at":1}')))).toBe("Corrupt")
  expect(await reasonOf(zippedOf(`${text}${lines[1]}\n`))).toBe("Corrupt")
  expect(await reasonOf(streamOf(whole, gzipSync("more")))).toBe("Corrupt")
})

test("bombs are left before they go off", async () => {
  const large = gzipSync(Buffer.alloc(128 * 1024 * 1024, "x"), { level: 1 })
  let taken = 0
  const counting = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const chunk = large.subarray(taken, taken + 512)
      taken += chunk.length
      if (chunk.length === 0) controller.close()
      else controller.enqueue(chunk)
    },
  })
  expect(await reasonOf(counting)).toBe("TooLarge")
  expect(taken).toBeLessThan(large.length / 2)
  const manyLines = gzipSync(`${lines[0]}\n${`${lines[1]}\n`.repeat(10_000)}`)
  expect(await reasonOf(streamOf(manyLines), { totalBytes: 100_000 })).toBe("TooLarge")
  expect(await reasonOf(streamOf(whole), { lineLength: 100 })).toBe("TooLarge")
  const deep = `${lines[0]}\n${"[".repeat(60_000)}\n`
  expect(await reasonOf(zippedOf(deep))).toBe("Corrupt")
  const proto = await readAll(
    zippedOf(
      [
        lines[0],
        '{"type":"warning","at":1,"id":"w","active":true,"__proto__":{"polluted":1}}',
        '{"type":"end","at":1,"lines":1}',
        "",
      ].join("\n"),
    ),
  )
  expect(proto.lines[0]).not.toHaveProperty("polluted")
})

test("texts in it are harmless, whoever wrote it", async () => {
  const hostile = JSON.stringify({
    type: "event",
    at: 1,
    kind: `\u001B[2J\u202E${"k".repeat(1000)}`,
    seq: 1,
    what: "TaskEnded",
    error: `${"e".repeat(10_000)}\u0000`,
    task: { id: "t1", name: "\u2066name\n", type: "turn" },
  })
  const { events } = await readAll(
    zippedOf([lines[0], hostile, '{"type":"end","at":1,"lines":1}', ""].join("\n")),
  )
  expect(JSON.stringify(events)).not.toMatch(/\\u001b|\u202E|\u2066|\\n|\\u0000/)
  expect(events[0]?.kind.length).toBeLessThanOrEqual(129)
  expect(events[0]?.error?.length).toBeLessThanOrEqual(301)
})

test("leaving early cancels the stream; a source that fails is not called corrupt", async () => {
  let cancelled = false
  let at = 0
  const random = Array.from({ length: 50_000 }, () => `{"type":"weather","of":${Math.random()}}`)
  const large = gzipSync([lines[0], ...random].join("\n"))
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (at < large.length) controller.enqueue(large.subarray(at, (at += 512)))
      else controller.close()
    },
    cancel: () => {
      cancelled = true
    },
  })
  for await (const line of readRecording(source)) {
    expect(line.type).toBe("header")
    break
  }
  expect(cancelled).toBe(true)
  expect(at).toBeLessThan(large.length / 2)
  const failing = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(whole.subarray(0, 100)),
    pull: () => {
      throw new Error("the network went away")
    },
  })
  expect(await reasonOf(failing)).toMatchObject({ message: "the network went away" })
})

test("the reader needs nothing of Node", () => {
  const src = join(dirname(fileURLToPath(import.meta.url)), "../../src/recording")
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const source = readFileSync(file, "utf8")
    expect([file, /\b(?:Buffer|process|setImmediate)\b\./.test(source)]).toEqual([file, false])
    for (const [, kind, from] of source.matchAll(/^(import type|import|export)[^"]*from "([^"]+)"/gm)) {
      if (kind === "import type" || from === undefined) continue
      expect([file, from.startsWith(".")]).toEqual([file, true])
      visit(join(dirname(file), from))
    }
  }
  visit(join(src, "readRecording.ts"))
  expect(seen.size).toBeGreaterThan(3)
})
