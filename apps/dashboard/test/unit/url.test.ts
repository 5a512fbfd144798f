import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { matchPath, readAddress, writeAddress } from "../../src/url/address.ts"
import {
  choice,
  flag,
  integer,
  maybe,
  ordered,
  readParams,
  several,
  sort,
  text,
  texts,
  writeParams,
  type Values,
} from "../../src/url/params.ts"

const states = ["Ready", "Opening", "Closing"] as const
const columns = ["name", "state", "queued", "age"] as const
const params = {
  q: text(),
  state: several(states),
  kind: texts(3, 20),
  sort: sort(columns, { column: "queued", descending: true }),
  cols: ordered(columns, ["name", "state"]),
  page: integer(0, 0, 1_000_000),
  idle: flag(),
  range: choice(["15m", "6h"], "15m"),
  open: maybe(["a", "b"]),
}
const values: fc.Arbitrary<Values<typeof params>> = fc.record({
  q: fc
    .string({ unit: "binary", maxLength: 128 })
    .filter((value) => value.isWellFormed() && value.length <= 128),
  state: fc.subarray([...states]),
  kind: fc.uniqueArray(fc.string({ maxLength: 20 }), { maxLength: 3 }),
  sort: fc.record({ column: fc.constantFrom(...columns), descending: fc.boolean() }),
  cols: fc.shuffledSubarray([...columns]),
  page: fc.integer({ min: 0, max: 1_000_000 }),
  idle: fc.boolean(),
  range: fc.constantFrom("15m", "6h"),
  open: fc.constantFrom("a", "b", undefined),
})

describe("what a view is, in its address", () => {
  it("comes back as it was written", () => {
    fc.assert(
      fc.property(values, (given) => {
        expect(readParams(params, writeParams(params, given))).toEqual(given)
      }),
      { numRuns: 500 },
    )
  })
  it("is written once for each meaning: reading and writing again changes nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.webQueryParameters(), (junk, query) => {
        for (const search of [junk, query, `${query}&state=Ready&state=${junk}&cols=${junk}`]) {
          const once = writeParams(params, readParams(params, search))
          expect(writeParams(params, readParams(params, once))).toBe(once)
        }
      }),
      { numRuns: 500 },
    )
  })
  it("is short where everything is as usual", () => {
    expect(writeParams(params, readParams(params, ""))).toBe("")
    expect(writeParams(params, { ...readParams(params, ""), state: ["Closing", "Ready"] })).toBe(
      "state=Ready&state=Closing",
    )
  })
  it("leaves out what it does not know, and what is beyond its bounds", () => {
    const read = readParams(
      params,
      "state=Gone&state=Ready&page=-1&sort=-nothing&cols=nothing&range=1y&idle=yes&open=c&__proto__=x&kind=" +
        "x".repeat(21),
    )
    expect(read).toEqual({ ...readParams(params, ""), state: ["Ready"] })
    expect(readParams(params, `q=${"x".repeat(10_000)}`).q).toHaveLength(128)
  })
  it("no columns at all are not the usual ones", () => {
    expect(readParams(params, writeParams(params, { ...readParams(params, ""), cols: [] })).cols).toEqual([])
  })
})

describe("paths", () => {
  it("hold any name", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((part) => part.isWellFormed()),
          { maxLength: 4 },
        ),
        fc.webQueryParameters(),
        (path, search) => {
          expect(readAddress(writeAddress({ path, search }))).toEqual({ path, search })
        },
      ),
      { numRuns: 500 },
    )
  })
  it("may be typed by hand", () => {
    expect(readAddress("#/sessions/%E0%A4%A/100%")).toEqual({
      path: ["sessions", "%E0%A4%A", "100%"],
      search: "",
    })
    expect(readAddress("")).toEqual({ path: [], search: "" })
    expect(writeAddress({ path: ["\uD800"], search: "" })).toBe("#/%EF%BF%BD")
  })
  it("with parts that vary", () => {
    const pattern = ["sessions", ":kind", ":hash"]
    expect(matchPath(pattern, ["sessions", "chat", "0a"])).toEqual({ kind: "chat", hash: "0a" })
    expect(matchPath(pattern, ["sessions", "chat"])).toBeUndefined()
    expect(matchPath(pattern, ["tasks", "chat", "0a"])).toBeUndefined()
  })
})
