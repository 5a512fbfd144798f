/** What can be read of a registry besides its sessions: for metrics, a dashboard, a recording. Nothing here is written by who reads. */
import type { SessionRefusedReason, TaskStoppedReason } from "../errors.ts"
import type { CloseReason } from "../closeReasons.ts"
import type { AnySessions } from "../Sessions.ts"
import type { SessionState, TaskOutcome } from "./Explanation.ts"
import type { LiveSession } from "./Live.ts"

/** How a use came to its session: it was ready, it was on its way already, or it had to be opened for this use. */
export type Acquisition = "hit" | "joined" | "miss"
export type OpeningOutcome = "succeeded" | "failed" | "timedOut" | "cancelled"

/** Durations in milliseconds. */
export interface DurationStats {
  readonly count: number
  readonly sum: number
  readonly mean: number
  /** `share` 0 to 1; too large by at most an eighth. */
  readonly quantile: (share: number) => number
  /** How many were at most as long as each of these, in ascending order; exact at 1, 2.5 and 5 of every decade. */
  readonly upTo: (bounds: ReadonlyArray<number>) => Array<number>
}

/** Of tasks of one name, since the registry was made. Beyond 50 names all others are `other`. */
export interface NamedTasks {
  readonly name: string
  readonly started: number
  readonly outcomes: { readonly [K in TaskOutcome]: number }
  readonly runs: DurationStats
}

/** A task that has ended. Times are epoch milliseconds. */
export interface EndedTask {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly outcome: TaskOutcome
  readonly queuedAt: number
  /** Undefined: it never started. */
  readonly startedAt: number | undefined
  readonly endedAt: number
}

/** Since the registry was made; counts on while it is held. */
export interface Totals {
  readonly outcomes: { readonly [K in TaskOutcome]: number }
  readonly acquisitions: { readonly [K in Acquisition]: number }
  readonly refusals: { readonly [K in SessionRefusedReason]: number }
  /** Tasks told to stop. */
  readonly stops: { readonly [K in TaskStoppedReason]: number }
  /** Of a stay's first generation, and of those that replace one. */
  readonly openings: { readonly [K in "first" | "again"]: { readonly [O in OpeningOutcome]: number } }
  readonly ends: { readonly [K in CloseReason]: number }
  readonly probes: { readonly good: number; readonly bad: number }
  readonly lost: number
  readonly abandoned: number
  readonly leaks: number
  /** Abandoned work that has ended after all. */
  readonly late: number
  /** Mistakes of Sojourn. */
  readonly defects: number
  readonly listenerErrors: number
  readonly droppedEvents: number
}

/** Now. Counted as things happen, not when it is asked. */
export interface Gauges {
  readonly sessions: { readonly [K in Exclude<SessionState, "Closed">]: number }
  /** Of the ready ones, those that nobody uses. */
  readonly idle: number
  /** Turns, streams and background work. */
  readonly queued: number
  readonly running: number
  readonly leases: number
  /** Generations that were abandoned and have not ended. */
  readonly leaked: number
  /** Epoch milliseconds; undefined: none is idle. */
  readonly oldestIdleSince: number | undefined
}

export interface Inspection {
  readonly name: string
  readonly sessions: AnySessions
  readonly limits: {
    readonly maxSessions: number
    readonly maxPerOwner: number
    readonly maxQueued: number
    readonly concurrency: number
    /** Milliseconds. */
    readonly idleTimeout: number
  }
  readonly phase: "accepting" | "draining" | "drained"
  readonly totals: Totals
  readonly tasks: () => Iterable<NamedTasks>
  readonly durations: {
    /** From hand-in to start. */
    readonly waits: DurationStats
    /** From start to the real end. */
    readonly runs: DurationStats
    /** From being told to stop to the real end, or until it was abandoned. */
    readonly stopping: DurationStats
    /** Of openings that succeeded. */
    readonly opens: DurationStats
    readonly closes: DurationStats
    /** From ready to closing. */
    readonly lifetimes: DurationStats
  }
  readonly gauges: () => Gauges
  /** Sessions that the registry knows of; some of them may be remembered only, and read as closed. */
  readonly size: number
  /** Visits every session, in no order, until a visit says `false`. What it is given is good for that visit. */
  readonly each: (visit: (session: LiveSession) => unknown) => void
  /** By its canonical key: `SessionRef.key`. */
  readonly find: (key: string) => LiveSession | undefined
  /** The last 256 tasks that ended, newest first. */
  readonly recent: () => Iterable<EndedTask>
  /** Epoch milliseconds; looks at every session. */
  readonly oldestTaskSince: () => number | undefined
}
