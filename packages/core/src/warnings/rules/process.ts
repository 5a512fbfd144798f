/** What a look at the process says. Pure. Times are milliseconds. `undefined`: it cannot be seen here. */
import type { Verdict } from "../hysteresis.ts"
import { rises, type RisingFloor } from "../RisingFloor.ts"
import type { Limits } from "../thresholds.ts"

/** Seconds whose medians must all be high. */
export const medianSeconds = 10

/** `medians`: of the last seconds, oldest first. */
export const loopStall = (
  stall: number | undefined,
  medians: ReadonlyArray<number>,
  limits: Limits<"loop-stall">,
): Verdict => {
  if (stall === undefined) return "unknown"
  if (stall >= limits.stall) return "bad"
  const slow = medians.slice(-medianSeconds)
  return slow.length === medianSeconds && slow.every((median) => median >= limits.median) ? "bad" : "good"
}

export const loopSaturated = (
  utilization: number | undefined,
  { share }: Limits<"loop-saturated">,
): Verdict => {
  if (utilization === undefined) return "unknown"
  if (utilization >= share) return "bad"
  return utilization < share * 0.9 ? "good" : "between"
}

type Floor = Pick<RisingFloor, "low" | "quarters">

/** What no longer rises for a quarter is not rising, however high it stays. */
const hasStopped = (quarters: ReadonlyArray<number>, low: number): boolean =>
  (quarters[3] ?? 0) <= (quarters[2] ?? 0) || low < (quarters[3] ?? 0)

export const heapFloor = ({ low, quarters }: Floor, { share }: Limits<"heap-floor">): Verdict => {
  if (quarters === undefined) return "unknown"
  if (rises(quarters) && (quarters[3] ?? 0) > share) return "bad"
  return hasStopped(quarters, low) || low <= share ? "good" : "between"
}
export const resourcesRising = ({ low, quarters }: Floor, { rise }: Limits<"resources-rising">): Verdict => {
  if (quarters === undefined) return "unknown"
  if (rises(quarters) && (quarters[3] ?? 0) - (quarters[0] ?? 0) >= rise) return "bad"
  return hasStopped(quarters, low) ? "good" : "between"
}

export const telemetryLossy = (
  { dropped, late, others }: { readonly dropped: number; readonly others: number; readonly late: number },
  limits: Limits<"telemetry-lossy">,
): Verdict => {
  if (late > limits.late) return "bad"
  return (dropped > 0 && dropped >= limits.dropped) || (others > 0 && others >= limits.others)
    ? "bad"
    : "good"
}
