import fc from "fast-check"
import { expect, test } from "vitest"
import { breakerWindow, firstPause, isOutage, pauseAfter, type Openings } from "../../src/session/breaker.ts"

const windows: fc.Arbitrary<Openings> = fc.record({
  failed: fc.array(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 60 }).map((all) => new Set(all)),
  succeeded: fc.integer({ min: 0, max: 40 }),
})
const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const named = (count: number, from = 0): ReadonlySet<string> =>
  new Set(Array.from({ length: count }, (_, index) => `owner ${from + index}`))

test("L11: an outage is at least twenty different owners, and at least half of all openings", () => {
  fc.assert(
    fc.property(fc.array(windows, { maxLength: 3 }), (all) => {
      const different = new Set(all.flatMap(({ failed }) => [...failed])).size
      const succeeded = all.reduce((sum, window) => sum + window.succeeded, 0)
      expect(isOutage(all)).toBe(different >= 20 && different / (different + succeeded) >= 0.5)
    }),
    { numRuns: 2000 },
  )
})

test("L11: the edges: 19 and 20 owners; 20 and 21 that opened well; the same owner in two windows is one", () => {
  const none = { failed: named(0), succeeded: 0 }
  expect(isOutage([none, { failed: named(19), succeeded: 0 }])).toBe(false)
  expect(isOutage([none, { failed: named(20), succeeded: 0 }])).toBe(true)
  expect(
    isOutage([
      { failed: named(10), succeeded: 0 },
      { failed: named(10, 10), succeeded: 20 },
    ]),
  ).toBe(true)
  expect(
    isOutage([
      { failed: named(10), succeeded: 21 },
      { failed: named(10, 10), succeeded: 0 },
    ]),
  ).toBe(false)
  expect(
    isOutage([
      { failed: named(19), succeeded: 0 },
      { failed: named(19), succeeded: 0 },
    ]),
  ).toBe(false)
  expect(isOutage([])).toBe(false)
})

test("L11: the pause doubles from one second to thirty, jittered down by at most half", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), jitter, (trials, random) => {
      const whole = Math.min(30_000, firstPause * 2 ** Math.min(trials, 60))
      const pause = pauseAfter(trials, random)
      expect(pause).toBeGreaterThanOrEqual(whole / 2)
      expect(pause).toBeLessThanOrEqual(whole)
    }),
  )
  expect([0, 1, 2, 3, 4, 5, 6, 1000].map((trials) => pauseAfter(trials, 1))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ])
  expect([pauseAfter(0, 0), pauseAfter(9, 0)]).toEqual([500, 15_000])
})

test("L11: what is documented of the window: openings of the last 15 to 30 seconds", () => {
  expect(breakerWindow).toBe(15_000)
})
