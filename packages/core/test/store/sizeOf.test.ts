import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { sizeOf } from "../../src/store/sizeOf.ts"

describe("sizeOf", () => {
  test.for<readonly [unknown, number]>([
    [undefined, 8],
    [null, 8],
    [true, 8],
    [1.5, 8],
    ["", 8],
    ["four", 16],
    ["\u{1f600}", 12],
    [1n, 16],
    [2n ** 64n, 24],
    [-(2n ** 63n), 16],
    [{}, 8],
    [{ a: 1 }, 8 + 10 + 8],
    [[], 8],
    [[1, 2], 8 + 16],
    [[[]], 16],
    [new Map([["a", "bc"]]), 8 + 10 + 12],
    [new Set([1, 2, 3]), 8 + 24],
    [new Date(), 8],
    [/abc/, 8 + 6],
    [new ArrayBuffer(100), 108],
    [new Uint8Array(100), 108],
    [new DataView(new ArrayBuffer(100), 90), 18],
  ])("%o is about %i bytes", ([value, bytes]) => {
    expect(sizeOf(value)).toBe(bytes)
  })

  test("what is referred to twice counts once, so cycles end", () => {
    const text = { text: "x".repeat(1000) }
    expect(sizeOf([text, text])).toBe(sizeOf([text]) + 8)
    const cycle: Array<unknown> = []
    cycle.push(cycle)
    expect(sizeOf(cycle)).toBe(16)
    const map = new Map<unknown, unknown>()
    map.set(map, map)
    expect(sizeOf(map)).toBe(24)
  })

  test("a view of a large buffer: its own bytes, or what structuredClone copies, once", () => {
    const buffer = new ArrayBuffer(1000)
    const views = [new Uint8Array(buffer, 0, 10), new Uint16Array(buffer, 10, 5)]
    expect(sizeOf(views)).toBe(8 + 2 * 8 + 20)
    expect(sizeOf(views, Infinity, "whole")).toBe(8 + 2 * 8 + 1000)
    expect(sizeOf([...views, buffer], Infinity, "whole")).toBe(8 + 3 * 8 + 1000)
  })

  test("the text of errors counts, and their causes", () => {
    const error = new Error("x".repeat(1000), { cause: "y".repeat(1000) })
    expect(sizeOf(error)).toBeGreaterThan(4000)
  })

  test("named properties of a list count", () => {
    expect(sizeOf(Object.assign([1], { name: "x".repeat(1000) }))).toBe(8 + 8 + 16 + 2008)
  })

  test("over the limit it stops: nothing further is read, and huge ones are not gone through", () => {
    const state = {
      large: "x".repeat(100),
      get next(): never {
        throw new Error("it went on")
      },
    }
    expect(sizeOf(state, 100)).toBeGreaterThan(100)
    expect(() => sizeOf(state, 1000)).toThrow("it went on")

    const trap = (): never => {
      throw new Error("it was gone through")
    }
    const list = new Proxy(
      Array.from({ length: 1_000_000 }, () => 0),
      { ownKeys: trap },
    )
    expect(sizeOf(list, 1000)).toBeGreaterThan(1000)
    const set = new Set(Array.from({ length: 1000 }, (_, n) => n))
    set.entries = trap
    expect(sizeOf(set, 1000)).toBeGreaterThan(1000)
    expect(sizeOf(2n ** 100_000n, 1000)).toBeGreaterThan(1000)
    const empty: Array<unknown> = []
    empty.length = 2 ** 32 - 1
    expect(sizeOf(empty, 1000)).toBeGreaterThan(1000)
  })

  test("500 levels of nesting, and no more: Node writes more than it can read back", () => {
    const nested = (levels: number): unknown => {
      let value: unknown = 0
      for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value }
      return value
    }
    expect(sizeOf(nested(500))).toBeGreaterThan(500 * 8)
    expect(() => sizeOf(nested(501))).toThrow("500 levels")
    expect(() => sizeOf(nested(100_000))).toThrow("500 levels")
  })

  test("any limit: what is under it is counted exactly, what is over it is over it", () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
        fc.nat(200),
        (value, limit) => {
          const size = sizeOf(value)
          if (size <= limit) expect(sizeOf(value, limit)).toBe(size)
          else expect(sizeOf(value, limit)).toBeGreaterThan(limit)
        },
      ),
      { numRuns: 500 },
    )
  })
})
