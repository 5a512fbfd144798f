/** What a look at a task says. Pure. Times are milliseconds. */
import type { LiveTask } from "../../observe/Live.ts"
import type { Verdict } from "../hysteresis.ts"
import type { Limits } from "../thresholds.ts"

/** What is known of the tasks of one name. */
export interface Peers {
  readonly samples: number
  /** The 95th percentile of their runs. */
  readonly usual: number
}

/**
 * How long it may run; undefined: nothing can be said. A turn is waited for, so its age alone counts while there are no
 * peers; a stream or background work may rightly go on for long.
 */
export const overdueLimit = (
  kind: LiveTask["kind"],
  silence: number,
  peers: Peers,
  { age, samples, times }: Limits<"task-overdue">,
): number | undefined => {
  // Declared: it may be silent, and so run, as long as it likes.
  if (silence === Infinity) return Infinity
  if (peers.samples >= samples) return Math.max(age, times * peers.usual)
  return kind === "turn" ? age : undefined
}
export const taskOverdue = (age: number, limit: number | undefined): Verdict => {
  if (limit === undefined) return "unknown"
  return age > limit ? "bad" : "good"
}

/** How long it may say nothing. */
export const silentLimit = (silence: number, { share, silent }: Limits<"task-no-progress">): number =>
  Math.max(silent, silence * share)
/** `waits`: for another, which has clocks of its own. */
export const taskNoProgress = (silent: number, limit: number, waits: boolean): Verdict =>
  silent >= limit && !waits ? "bad" : "good"

/** `told`: since it was told to stop; undefined: it was not. */
export const uninterruptible = (told: number | undefined, limits: Limits<"uninterruptible">): Verdict =>
  told !== undefined && told > limits.told ? "bad" : "good"
