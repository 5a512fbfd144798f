/** What a look at a kind says: counters of its registry, in windows. Pure. Times are milliseconds. */
import type { Verdict } from "../hysteresis.ts"
import type { Limits } from "../thresholds.ts"

/** Bounds of the buckets in which durations are counted, exact in the histograms of the engine; 1 ms to 2.8 hours. */
export const waitBounds: ReadonlyArray<number> = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000].flatMap(
  (power) => [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9].map((share) => share * power),
)
/** `upTo`: how many were at most as long as each bound. The bound under which `share` of all of them are. */
export const quantileOf = (upTo: ReadonlyArray<number>, count: number, share: number): number => {
  if (count === 0) return 0
  const index = upTo.findIndex((seen) => seen >= share * count)
  return waitBounds[index] ?? Infinity
}

export const queueWait = (
  { run, samples, wait }: { readonly wait: number; readonly run: number; readonly samples: number },
  limits: Limits<"queue-wait">,
): Verdict => {
  // A kind that nobody uses any more is no longer to be warned of.
  if (samples < limits.samples) return "good"
  return wait > limits.wait && wait > limits.times * run ? "bad" : "good"
}

/** `idle`: of the one that has been idle longest, 0 when there is none. */
export const idleNotEvicted = (
  idle: number,
  idleTimeout: number,
  { times }: Limits<"idle-not-evicted">,
): Verdict => (idleTimeout !== Infinity && idle > Math.max(1000, times * idleTimeout) ? "bad" : "good")

export const orphanTask = (tasks: number, generations: number): Verdict =>
  tasks > 0 || generations > 0 ? "bad" : "good"

export const unobservedFailure = (failures: number, limits: Limits<"unobserved-failure">): Verdict =>
  failures >= limits.failures ? "bad" : "good"

export const reuseLow = (
  { reused, uses }: { readonly uses: number; readonly reused: number },
  { samples, share }: Limits<"reuse-low">,
): Verdict => {
  if (uses < samples) return "good"
  return reused < uses * share ? "bad" : "good"
}

export const capacity = (
  {
    held,
    maxSessions,
    refused,
  }: { readonly held: number; readonly maxSessions: number; readonly refused: number },
  { refusals, share }: Limits<"capacity">,
): Verdict => {
  if (refused >= refusals && refused > 0) return "certain"
  const limit = maxSessions * share
  if (held >= limit) return "bad"
  return held < limit * 0.9 ? "good" : "between"
}

export const keySuspect = (
  {
    distinct,
    keys,
    opened,
    uses,
  }: {
    readonly uses: number
    readonly opened: number
    readonly keys: number
    readonly distinct: number
  },
  { samples, share }: Limits<"key-suspect">,
): Verdict => {
  if (uses < samples) return "good"
  if (opened <= uses * share) return "good"
  // Keys are counted only from when most uses open something.
  if (keys < samples / 2) return "unknown"
  return distinct > keys * share ? "bad" : "good"
}

/** `elapsed`: undefined when nothing drains. `allowed`: Infinity when it may take any time. */
export const drainStuck = (
  elapsed: number | undefined,
  allowed: number,
  { share }: Limits<"drain-stuck">,
): Verdict => {
  if (elapsed === undefined) return "gone"
  return elapsed > allowed * share ? "bad" : "good"
}
