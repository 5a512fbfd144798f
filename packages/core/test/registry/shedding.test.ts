import fc from "fast-check"
import { expect, test } from "vitest"
import { sessionsToShed } from "../../src/registry/admission.ts"

const shares = fc.double({ min: 0, max: 1, noNaN: true })
const counts = fc.integer({ min: 0, max: 100_000 })

test("L9: of equal sessions just so many go that what is left is at most the low mark", () => {
  fc.assert(
    fc.property(
      counts,
      shares.filter((used) => used > 0.001),
      shares,
      (sessions, used, low) => {
        fc.pre(used > low && sessions > 0)
        const gone = sessionsToShed(sessions, used, low)
        const each = used / sessions
        expect(used - gone * each).toBeLessThanOrEqual(low + 1e-9)
        // And not one more than that.
        expect(used - (gone - 1) * each).toBeGreaterThan(low - 1e-9)
      },
    ),
  )
})

test("L9: at least one while there is pressure, for a collection shows late what is free; none of an empty heap", () => {
  fc.assert(
    fc.property(counts, shares, shares, (sessions, used, low) => {
      const gone = sessionsToShed(sessions, used, low)
      expect(Number.isSafeInteger(gone)).toBe(true)
      if (used === 0) expect(gone).toBe(0)
      else expect(gone).toBeGreaterThanOrEqual(1)
    }),
  )
})

test("L9: for example: of 100 sessions in a heap at 0.9, a sixth goes for a low mark of 0.75", () => {
  expect(sessionsToShed(100, 0.9, 0.75)).toBe(17)
  expect(sessionsToShed(100, 0.75, 0.75)).toBe(1)
  expect(sessionsToShed(0, 0.9, 0.75)).toBe(1)
})
