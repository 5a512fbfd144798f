import type { SessionRef } from "../SessionKey.ts"
import type { SessionState, TaskInfo } from "./Explanation.ts"

/** One row of a snapshot. Times are epoch milliseconds. */
export interface SessionSummary {
  readonly session: SessionRef
  readonly state: SessionState
  readonly openedAt: number | undefined
  readonly idleSince: number | undefined
  readonly running: number
  readonly queued: number
}

/** A read-only picture of a registry. At most `limit` (1 000) sessions, busiest first, `more` left out; `counts` are exact. */
export interface Snapshot {
  readonly name: string
  readonly at: number
  readonly phase: "accepting" | "draining" | "drained"
  readonly sessions: ReadonlyArray<SessionSummary>
  readonly more: number
  readonly counts: { readonly [K in SessionState | "queued" | "running" | "leases" | "leaked"]: number }
}

/** What a drain did. */
export interface DrainReport {
  /** Tasks that were running when the drain began and ended by themselves. */
  readonly finished: number
  /** Tasks that were stopped, and whether or not they ended in time. */
  readonly cut: ReadonlyArray<TaskInfo>
  /** Sessions closed. */
  readonly closed: number
  /** Sessions something of which had not ended at its deadline. */
  readonly leaked: ReadonlyArray<SessionRef>
  readonly durationMs: number
}
