import { expect, test } from "vitest"
import { taskStoppedReasons } from "../../src/errors.ts"
import { outcomeOfStop, outcomeOfWork } from "../../src/task/outcomes.ts"

const expected = {
  Timeout: "timedOut",
  Silent: "timedOut",
  Stalled: "cancelled",
  Replaced: "cancelled",
  Cancelled: "cancelled",
  CallerStopped: "cancelled",
  Closed: "interrupted",
  Restarted: "interrupted",
  Drained: "interrupted",
  Broken: "interrupted",
} as const

test("L5: each reason has the outcome of its cause: a clock, a caller, or us", () => {
  for (const reason of taskStoppedReasons) expect(outcomeOfStop(reason)).toBe(expected[reason])
})

test("L5: what returned a value has succeeded, whatever it was told before", () => {
  expect(outcomeOfWork(undefined, true)).toBe("succeeded")
  for (const reason of taskStoppedReasons) expect(outcomeOfWork(reason, true)).toBe("succeeded")
})

test("L5: what threw has failed by itself, unless it was told to stop", () => {
  expect(outcomeOfWork(undefined, false)).toBe("failed")
  for (const reason of taskStoppedReasons) expect(outcomeOfWork(reason, false)).toBe(expected[reason])
})
