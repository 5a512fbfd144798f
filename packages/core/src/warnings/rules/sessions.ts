/** What a look at a session says. Pure: readings and thresholds in, a verdict out. Times are milliseconds. */
import type { Verdict } from "../hysteresis.ts"
import { rises, type RisingFloor } from "../RisingFloor.ts"
import type { Limits } from "../thresholds.ts"

/** A warning on a number clears only below this share of what raised it. */
const easesBelow = 0.8

/** `raisedAt`: the floor when it was raised, undefined before that. It clears when that has halved. */
export const tasksAccumulating = (
  { low, quarters }: Pick<RisingFloor, "low" | "quarters">,
  raisedAt: number | undefined,
  { floor }: Limits<"tasks-accumulating">,
): Verdict => {
  const last = quarters?.[3] ?? 0
  if (quarters !== undefined && last >= floor && rises(quarters)) return "bad"
  if (raisedAt !== undefined) return low <= raisedAt / 2 ? "good" : "between"
  return quarters === undefined && low > 0 ? "unknown" : "good"
}

export const pendingHigh = (
  {
    maxQueued,
    pending,
    queued,
  }: { readonly pending: number; readonly queued: number; readonly maxQueued: number },
  limits: Limits<"pending-high">,
): Verdict => {
  // A queue that is meant to be short is meant to be full.
  const full = maxQueued >= 10 ? maxQueued * limits.share : Infinity
  if (pending >= limits.pending || queued >= full) return "bad"
  return pending < limits.pending * easesBelow && queued < full * easesBelow ? "good" : "between"
}

/** `grown`: by so many tasks since a second ago; undefined: there was no look then. */
export const fanOut = (grown: number | undefined, { tasks }: Limits<"fan-out">): Verdict => {
  if (grown === undefined) return "unknown"
  return grown > tasks ? "bad" : "good"
}

/** How long it may take. `usual`: the 95th percentile, 0 when it is not known. */
export const openingLimit = (usual: number, { age, times }: Limits<"slow-creation">): number =>
  Math.max(age, times * usual)
/** `elapsed`: undefined when nothing opens. */
export const slowCreation = (elapsed: number | undefined, limit: number): Verdict =>
  elapsed !== undefined && elapsed > limit ? "bad" : "good"

/** `waiters`: 0 when it is open. */
export const creationStampede = (waiters: number, limits: Limits<"creation-stampede">): Verdict => {
  if (waiters >= limits.waiters) return "bad"
  return waiters < limits.waiters / 2 ? "good" : "between"
}

/** How quiet a lease may be. */
export const leaseLimit = (silence: number, { quiet, share }: Limits<"lease-leak">): number =>
  // Infinity: its holder rightly says nothing.
  Math.max(quiet, silence * share)
export const leaseLeak = (quiet: number, limit: number): Verdict => (quiet >= limit ? "bad" : "good")

/** `allowed`: grace and close together. */
export const closeLimit = (allowed: number, { age, share }: Limits<"close-slow">): number =>
  allowed === Infinity ? age : allowed * share
export const closeSlow = (elapsed: number | undefined, limit: number): Verdict =>
  elapsed !== undefined && elapsed > limit ? "bad" : "good"

export const unhealthy = (
  { ended, failed, losses }: { readonly failed: number; readonly ended: number; readonly losses: number },
  limits: Limits<"unhealthy">,
): Verdict => {
  if (losses >= limits.losses) return "bad"
  return ended >= limits.samples && failed > ended * limits.share ? "bad" : "good"
}
