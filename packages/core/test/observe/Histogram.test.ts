import fc from "fast-check"
import { expect, test } from "vitest"
import { bucketOf, Histogram, milliseconds, upperEnd } from "../../src/observe/Histogram.ts"

const micro = 0.001
const largest = 4_294_967
const durations = fc.oneof(
  fc.double({ min: 0, max: 0.05, noNaN: true }),
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.double({ min: 0, max: largest - 1, noNaN: true }),
)

test("L16: a duration is in a bucket that ends above it, by at most an eighth or a microsecond", () => {
  fc.assert(
    fc.property(durations, (ms) => {
      const upper = upperEnd(bucketOf(ms))
      expect(upper).toBeGreaterThanOrEqual(ms)
      expect(upper).toBeLessThanOrEqual(Math.max(ms * 1.125, ms + micro) * (1 + 1e-12) + micro / 1e6)
    }),
    { numRuns: 2000 },
  )
})

test("L16: buckets are in the order of the durations, without a gap", () => {
  fc.assert(
    fc.property(durations, durations, (a, b) => {
      if (a <= b) expect(bucketOf(a)).toBeLessThanOrEqual(bucketOf(b))
      else expect(bucketOf(a)).toBeGreaterThanOrEqual(bucketOf(b))
    }),
  )
  for (let index = 0; index < 670; index++) {
    expect(upperEnd(index + 1)).toBeGreaterThan(upperEnd(index))
    // What begins where one bucket ends is in the next.
    expect(bucketOf(upperEnd(index) * (1 + 1e-9))).toBe(index + 1)
  }
})

test("L16: a quantile is the one of the sorted durations, rounded up to its bucket; sum, count and mean are exact", () => {
  fc.assert(
    fc.property(
      fc.array(durations, { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
      (all, share) => {
        const histogram = new Histogram()
        for (const ms of all) histogram.record(ms)
        const sorted = all.toSorted((a, b) => a - b)
        const at = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0
        expect(histogram.quantile(share)).toBe(upperEnd(bucketOf(at)))
        expect(histogram.count).toBe(all.length)
        expect(histogram.sum).toBe(all.reduce((sum, ms) => sum + ms, 0))
        expect(histogram.mean).toBe(histogram.sum / all.length)
      },
    ),
  )
})

test("L16: nothing it is given breaks it: nothing recorded, clocks gone backwards, hours and for ever", () => {
  const histogram = new Histogram()
  expect([histogram.quantile(0.5), histogram.mean]).toEqual([0, 0])
  for (const odd of [-5, Number.NaN, 0, largest, largest * 10, Infinity]) {
    histogram.record(odd)
    const bucket = bucketOf(odd)
    expect(Number.isInteger(bucket) && bucket >= 0 && bucket < 721).toBe(true)
  }
  expect(histogram.count).toBe(6)
  expect(histogram.quantile(1)).toBeGreaterThanOrEqual(largest)
})

test("L16: how many were at most so long is exact at 1, 2.5 and 5 of every decade", () => {
  const bounds = [
    0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4,
  ]
  fc.assert(
    fc.property(fc.array(durations, { maxLength: 200 }), (all) => {
      const histogram = new Histogram()
      for (const ms of all) histogram.record(ms)
      expect(histogram.upTo(bounds)).toEqual(bounds.map((bound) => all.filter((ms) => ms < bound).length))
    }),
  )
})

test("L16: in milliseconds it tells days apart, exactly at 1, 2.5 and 5 of every decade, in the same memory", () => {
  const day = 86_400_000
  const bounds = [1, 50, 250, 1e3, 1e4, 5e4, 2.5e5, 1e6, 1e7, 5e7, 1e8, 2.5e8, 1e9]
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 40 * day, noNaN: true }), { maxLength: 200 }), (all) => {
      const histogram = new Histogram(milliseconds)
      for (const ms of all) histogram.record(ms)
      expect(histogram.upTo(bounds)).toEqual(bounds.map((bound) => all.filter((ms) => ms < bound).length))
      if (all.length > 0) {
        const longest = Math.max(...all)
        expect(histogram.quantile(1)).toBeGreaterThanOrEqual(longest)
        expect(histogram.quantile(1)).toBeLessThanOrEqual(
          Math.max(longest * 1.125, longest + 1) * (1 + 1e-12),
        )
      }
    }),
  )
  const histogram = new Histogram(milliseconds)
  for (const odd of [-5, Number.NaN, 0, 50 * day, 5000 * day, Infinity]) {
    histogram.record(odd)
    expect(bucketOf(odd, milliseconds)).toBeLessThan(721)
  }
  expect(histogram.quantile(1)).toBeGreaterThan(49 * day)
  expect(histogram.quantile(0)).toBe(1)
})
