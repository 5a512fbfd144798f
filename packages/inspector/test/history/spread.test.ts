import type { DurationStats } from "@sojourn/core/inspect"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import {
  addRows,
  bounds,
  heatBounds,
  heatRows,
  places,
  quantileOf,
  Spread,
} from "../../src/history/spread.ts"

/** Durations as they are, with nothing summed up. */
const exactly = (durations: ReadonlyArray<number>): DurationStats => {
  const sorted = durations.toSorted((one, other) => one - other)
  const sum = durations.reduce((all, one) => all + one, 0)
  return {
    count: sorted.length,
    sum,
    mean: sum / sorted.length,
    quantile: (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0,
    upTo: (ends) => ends.map((end) => sorted.filter((one) => one <= end * (1 + 1e-9)).length),
  }
}
const duration = fc.double({ min: -2, max: 5.9, noNaN: true }).map((power) => 10 ** power)

test("percentiles are never too small, and too large by at most a quarter", () => {
  fc.assert(
    fc.property(
      fc.array(duration, { maxLength: 30 }),
      fc.array(duration, { minLength: 1, maxLength: 30 }),
      fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1),
      (before, after, share) => {
        const spread = new Spread()
        spread.take(exactly(before), new Float64Array(places))
        const news = new Float64Array(places)
        expect(spread.take(exactly([...before, ...after]), news)).toBe(after.length)
        const actual = quantileOf(news, share)
        const exact = exactly(after).quantile(share)
        expect(actual).toBeGreaterThanOrEqual(exact * (1 - 1e-9))
        expect(actual).toBeLessThanOrEqual(Math.max(0.01, exact) * 1.25 * (1 + 1e-9))
      },
    ),
  )
})

test("the rows of a heatmap have each of them once, in the row whose end it does not exceed", () => {
  fc.assert(
    fc.property(fc.array(duration, { maxLength: 50 }), (durations) => {
      const news = new Float64Array(places)
      new Spread().take(exactly(durations), news)
      const rows = new Float64Array(heatRows)
      addRows(news, rows, 0)
      const expected = heatBounds.map(
        (end, row) =>
          durations.filter(
            (one) => one <= end * (1 + 1e-9) && (row === 0 || one > (heatBounds[row - 1] ?? 0) * (1 + 1e-9)),
          ).length,
      )
      expect([...rows]).toEqual([...expected, durations.filter((one) => one > 1e5 * (1 + 1e-9)).length])
    }),
  )
})

test("the bounds ascend, and those of the heatmap are among them", () => {
  expect(bounds).toEqual(bounds.toSorted((one, other) => one - other))
  expect(heatBounds.filter((bound) => !bounds.includes(bound))).toEqual([])
  expect(quantileOf(new Float64Array(places), 0.5)).toBeNaN()
})
