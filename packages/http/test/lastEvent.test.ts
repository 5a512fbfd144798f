import fc from "fast-check"
import { expect, test } from "vitest"
import { bindSession } from "../src/index.ts"
import { eventId, lastEvent } from "../src/lastEvent.ts"

const streamIds = fc.stringMatching(/^[!-9;-~]{1,100}$/)
const indices = fc.integer({ min: 0, max: 1e15 - 1 })

test("what we write is read as what it was", () => {
  fc.assert(
    fc.property(streamIds, indices, (stream, index) => {
      expect(lastEvent(eventId(stream, index))).toEqual({ stream, index })
    }),
  )
})

test("L19: an id of another process names no stream of this one", () => {
  const here = eventId("t12", 3)
  const elsewhere = here.replace(/\.[0-9a-f]{12}:/, ".0123456789ab:")
  expect(elsewhere).not.toBe(here)
  expect(lastEvent(elsewhere)).toEqual({ stream: "t12.0123456789ab", index: 3 })
})

test("a header of any kind is a place, a stream and a place, or nothing; never an error further on", () => {
  const handle = (_key: unknown, defaults?: { readonly after?: unknown; readonly stream?: unknown }) =>
    defaults
  const [process = ""] = /\.[0-9a-f]{12}/.exec(eventId("t1", 1)) ?? []
  const headers = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.stringMatching(/^[!-~]{0,140}:?\d{0,17}$/),
    fc.constantFrom(
      ":1",
      `${process}:1`,
      `t1${process}${process}:1`,
      "1:2:3",
      "1, 2",
      "t1:1, t1:2",
      "-0",
      "+1",
      "1 ",
    ),
  )
  fc.assert(
    fc.property(headers, (header) => {
      const gone = new AbortController().signal
      const bound = bindSession({ at: handle }, "a", { gone: () => gone, lastEventId: header }, undefined)
      if (bound?.after === undefined) expect(bound?.stream).toBeUndefined()
      else {
        expect(header).toMatch(/^([^:]+:)?\d+$/)
        expect(Number.isSafeInteger(bound.after)).toBe(true)
        // The longest name core takes.
        expect(bound.stream ?? "t").toMatch(/^[!-~]{1,128}$/)
      }
    }),
    { numRuns: 1000 },
  )
})

test.for<readonly [string | undefined, object | undefined]>([
  [undefined, undefined],
  ["37", { stream: undefined, index: 37 }],
  ["0", { stream: undefined, index: 0 }],
  ["t12:37", { stream: "t12", index: 37 }],
  ["", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["1e3", undefined],
  ["0x10", undefined],
  [" 1", undefined],
  ["1\n", undefined],
  [":5", undefined],
  ["a b:1", undefined],
  ["ü:1", undefined],
  [`${"a".repeat(129)}:1`, undefined],
  ["9".repeat(16), undefined],
])("%j is read as %j", ([header, expected]) => {
  expect(lastEvent(header)).toEqual(expected)
})
