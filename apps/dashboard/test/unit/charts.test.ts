import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  bucketName,
  nearest,
  quantileBucket,
  stacked,
  summaryOf,
  summaryOfAll,
  summaryOfBuckets,
  type Value,
} from "../../src/charts/data.ts"
import { cells, levels } from "../../src/charts/heat.ts"
import { sparkPath } from "../../src/charts/Sparkline.tsx"

const series = (id: string, values: ReadonlyArray<Value>) => ({ id, label: id, values })
const value = fc.option(fc.nat(1000), { nil: null })

describe("series on top of each other", () => {
  it("a null stays a null, and what is above stands on what is known", () => {
    expect(stacked([series("a", [1, null, null]), series("b", [2, 3, null])])).toEqual([
      [1, null, null],
      [3, 3, null],
    ])
  })
  it("the topmost known is the sum of all that are known", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        (all) => {
          const result = stacked(all.map((values, index) => series(`${index}`, values)))
          for (let at = 0; at < 5; at += 1) {
            const sum = all.reduce((so, values) => so + (values[at] ?? 0), 0)
            const top = result.map((line) => line[at]).findLast((each) => each != null)
            if (all.some((values) => values[at] != null)) expect(top).toBe(sum)
            else expect(top).toBeUndefined()
            for (const [index, line] of result.entries())
              expect(line[at] === null).toBe(all[index]?.[at] === null)
          }
        },
      ),
    )
  })
})

describe("the nearest time", () => {
  it("is the nearest", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(10_000), { minLength: 1 }),
        fc.integer({ min: -100, max: 11_000 }),
        (some, at) => {
          const times = some.toSorted((a, b) => a - b)
          const found = times[nearest(times, at)] ?? Number.NaN
          expect(Math.abs(found - at)).toBe(Math.min(...times.map((time) => Math.abs(time - at))))
        },
      ),
    )
    expect(nearest([], 5)).toBe(-1)
  })
})

describe("in words", () => {
  it("a series", () => {
    expect(summaryOf(series("running", [3, null, 20, 12]), "count")).toBe("running: now 12, 3 to 20, 1 gap")
    expect(summaryOf(series("stall", [5, 5, null]), "ms")).toBe("stall: now unknown, steady, 1 gap")
    expect(summaryOf(series("x", [null, null]), "count")).toBe("x: nothing known")
    expect(summaryOfAll({ times: [], series: [] }, "count")).toBe("Nothing yet.")
  })
  it("buckets", () => {
    const bounds = [5, 10, 100]
    expect([0, 1, 3].map((index) => bucketName(bounds, index, "ms"))).toEqual([
      "up to 5 ms",
      "5 ms to 10 ms",
      "over 100 ms",
    ])
    expect(summaryOfBuckets({ bounds, counts: [50, 40, 9, 1] }, "ms")).toBe(
      "100 in all; half up to 5 ms, 95 of 100 up to 100 ms.",
    )
    expect(summaryOfBuckets({ bounds, counts: [0, 0, 0, 5] }, "ms")).toContain("half over 100 ms")
    expect(summaryOfBuckets({ bounds, counts: [] }, "ms")).toBe("None yet.")
    expect(quantileBucket([0, 0, 3], 0)).toBe(2)
  })
})

it("a heatmap draws each count once, one among thousands included, and nothing for none", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.array(fc.nat(5000), { minLength: 4, maxLength: 4 }), { nil: null })),
      (counts) => {
        const drawn = cells(counts)
        expect(drawn).toHaveLength(counts.flatMap((each) => each ?? []).filter((count) => count > 0).length)
        for (const { level } of drawn) {
          expect(level).toBeGreaterThanOrEqual(0)
          expect(level).toBeLessThan(levels)
        }
      },
    ),
  )
  const [one, many] = cells([[1, 5000]])
  expect(one?.level).toBeLessThan(many?.level ?? 0)
})

it("a sparkline lifts its pen at a null", () => {
  expect(sparkPath([0, 10, null, 10])).toBe("M0 100h.1L33.3 0M100 0h.1")
  expect(sparkPath([null])).toBe("")
  expect(sparkPath([0, 0])).not.toContain("NaN")
  expect(sparkPath([5])).not.toContain("NaN")
  expect(sparkPath([-5, 5])).toBe("M0 100h.1L100 0")
})
