import { isDeepStrictEqual } from "node:util"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { jsonOf, stateOf } from "../../src/store/stateText.ts"

const back = (state: unknown): unknown => stateOf(JSON.parse(JSON.stringify(jsonOf(state))))

// Newer than the language that this is written in.
const Half: unknown = Reflect.get(globalThis, "Float16Array")
const halves: ReadonlyArray<unknown> = typeof Half === "function" ? [Reflect.construct(Half, [[1, -0]])] : [0]

const anything = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom("$", "of", "__proto__", "toJSON", "1", "0")),
  values: [
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, "$", "Map"),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array().map((bytes) => bytes.buffer),
    fc.constantFrom(/a/g, /[/\n]/u),
    fc.constantFrom(...halves),
  ],
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
})

describe("a state as JSON", () => {
  test("comes back as structuredClone would give it, whatever it is", () => {
    fc.assert(
      fc.property(anything, fc.boolean(), (value, twice) => {
        const state = twice ? { first: value, second: [value] } : value
        const loaded = back(state)
        expect(isDeepStrictEqual(loaded, structuredClone(state))).toBe(true)
        if (twice && typeof value === "object" && value !== null) {
          const { first, second } = loaded as {
            readonly first: unknown
            readonly second: ReadonlyArray<unknown>
          }
          expect(second[0]).toBe(first)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test("is the same JSON for what JSON can say, so that people can read it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value)
        fc.pre(!json.includes('"$"') && !json.includes('"__proto__"'))
        // Parsed back first: -0 is a value that JSON cannot say.
        expect(JSON.stringify(jsonOf(JSON.parse(json)))).toBe(json)
      }),
    )
  })

  test("keeps cycles, and which objects are one", () => {
    const map = new Map<unknown, unknown>()
    const error: Error & { cause?: unknown } = new TypeError("round")
    const list: Array<unknown> = [map, new Set([map]), error, new Date(5), /x/, new Uint8Array(2)]
    map.set("list", list).set(list, error)
    error.cause = { list, $: map }
    const loaded = back([list, ...list]) as ReadonlyArray<unknown>
    const [sameList, sameMap, set, sameError, date, pattern, bytes] = loaded as [
      ReadonlyArray<unknown>,
      Map<unknown, unknown>,
      Set<unknown>,
      Error,
      ...ReadonlyArray<unknown>,
    ]
    expect(sameList).toHaveLength(6)
    expect(
      [sameMap, set, sameError, date, pattern, bytes].map((each, n) => each === sameList[n]),
    ).not.toContain(false)
    expect(sameMap.get("list")).toBe(sameList)
    expect(sameMap.get(sameList)).toBe(sameError)
    expect(set.has(sameMap)).toBe(true)
    expect(sameError).toBeInstanceOf(TypeError)
    expect((sameError.cause as { readonly list: unknown; readonly $: unknown }).list).toBe(sameList)
    expect((sameError.cause as { readonly $: unknown }).$).toBe(sameMap)
    expect(Object.keys(sameError)).toEqual([])
  })

  test("writes the bytes of a view, and nothing that Node keeps beside them in one buffer", () => {
    const beside = Buffer.from("beside: a password")
    const bytes = Buffer.from("bytes")
    expect(bytes.buffer).toBe(beside.buffer)
    expect(JSON.stringify(jsonOf(bytes))).toBe('{"$":"Uint8Array","of":"Ynl0ZXM="}')
    expect(back(bytes)).toStrictEqual(Uint8Array.from(bytes))
  })

  test("text that it did not write makes no state", () => {
    for (const text of [
      '{"$":"Function"}',
      '{"$":5}',
      '{"$":"same","of":0}',
      '{"$":"same","of":"length"}',
      '[{"$":"same","of":1}]',
      '{"$":"bigint","of":"x"}',
      '{"$":"Uint8Array","of":"?"}',
      '{"$":"Float64Array","of":"AAAA"}',
      '{"$":"Map","of":[1]}',
      '{"$":"Map"}',
      '{"$":"Array","of":[-1]}',
      '{"$":"RegExp","of":["(",""]}',
      '{"$":"Error","of":["Function","process.exit(1)",""]}',
      '{"__proto__":{"polluted":true}}',
    ])
      expect(() => void stateOf(JSON.parse(text))).toThrow(Error)
  })
})
