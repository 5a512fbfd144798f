import fc from "fast-check"
import { expect, test } from "vitest"
import { resolvePolicy } from "../../src/options.ts"
import {
  afterLoss,
  delayAfterFailedOpen,
  quarantineFor,
  stableAfter,
} from "../../src/session/restartPolicy.ts"

const usual = resolvePolicy({}, []).restart
const policies = fc
  .record({
    times: fc.integer({ min: 0, max: 6 }),
    within: fc.integer({ min: 1, max: 100_000 }),
    delay: fc.integer({ min: 0, max: 10_000 }),
    maxDelay: fc.integer({ min: 0, max: 60_000 }),
    quarantine: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map((restart): typeof usual => Object.assign({}, usual, restart))
const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test("L10: the delay after a failed open doubles, up to its maximum, and is jittered down by at most half", () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 2000 }), jitter, (policy, attempt, random) => {
      const delay = delayAfterFailedOpen(policy, attempt, random)
      let whole = policy.delay
      for (let doubling = 1; doubling < attempt && whole < policy.maxDelay && whole > 0; doubling++)
        whole *= 2
      whole = Math.min(whole, policy.maxDelay)
      expect(delay).toBeGreaterThanOrEqual(whole / 2)
      expect(delay).toBeLessThanOrEqual(whole)
    }),
  )
})

test("L10: the documented delays: 100 ms, 200, 400 … 30 s", () => {
  expect([1, 2, 3, 9, 10, 1000].map((attempt) => delayAfterFailedOpen(usual, attempt, 1))).toEqual([
    100, 200, 400, 25_600, 30_000, 30_000,
  ])
  expect(delayAfterFailedOpen(usual, 1, 0)).toBe(50)
})

test("L11: losses against a sliding window: the first rebuild at once, one more than `times` quarantines", () => {
  fc.assert(
    fc.property(
      policies,
      fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 20 }),
      jitter,
      (policy, gaps, random) => {
        let now = 0
        let kept: ReadonlyArray<number> = []
        const all: Array<number> = []
        for (const gap of gaps) {
          now += gap
          all.push(now)
          const loss = afterLoss(policy, { failures: kept, now, trial: false, random })
          const inWindow = all.filter((at) => now - at <= policy.within)
          expect(loss.failures).toEqual(inWindow)
          expect(loss.next).toBe(inWindow.length > policy.times ? "quarantine" : "reopen")
          if (loss.next === "quarantine") return
          const most =
            inWindow.length === 1 ? 0 : Math.min(policy.maxDelay, policy.delay * 2 ** (inWindow.length - 2))
          expect(loss.delay).toBeLessThanOrEqual(most)
          expect(loss.delay).toBeGreaterThanOrEqual(most / 2)
          kept = loss.failures
        }
      },
    ),
  )
})

test("L11: what is remembered of losses is bounded by the intensity", () => {
  let kept: ReadonlyArray<number> = []
  for (let now = 0; now < 100 * usual.within; now += usual.within / usual.times + 1) {
    const loss = afterLoss(usual, { failures: kept, now, trial: false, random: 0 })
    expect(loss.failures.length).toBeLessThanOrEqual(usual.times + 1)
    kept = loss.failures
  }
})

test("L11: one loss of the trial generation quarantines again", () => {
  fc.assert(
    fc.property(policies, jitter, (policy, random) => {
      expect(afterLoss(policy, { failures: [], now: 5, trial: true, random }).next).toBe("quarantine")
    }),
  )
})

test("L11: quarantines double up to ten minutes, never below what was asked for", () => {
  expect([0, 1, 2, 4, 5, 6, 5000].map((count) => quarantineFor(usual, count))).toEqual([
    30_000, 60_000, 120_000, 480_000, 600_000, 600_000, 600_000,
  ])
  expect(quarantineFor({ ...usual, quarantine: 3_600_000 }, 3)).toBe(3_600_000)
  expect(quarantineFor({ ...usual, quarantine: Infinity }, 0)).toBe(Infinity)
})

test("L11: good health is a sixth of the window", () => {
  expect(stableAfter(usual)).toBe(10_000)
})
