/**
 * What can be read of a registry besides its sessions: for metrics, a dashboard, a recording. Nothing here is written by who
 * reads; only spans are made where they are asked for.
 */
import type { SessionRefusedReason, TaskStoppedReason } from "../errors.ts"
import type { CloseReason } from "../closeReasons.ts"
import type { AnySessions } from "../Sessions.ts"
import type { EndReason, SessionFact, SessionState, TaskInfo, TaskOutcome } from "./Explanation.ts"
import type { LiveSession, TaskRef, TaskStop } from "./Live.ts"
import type { SessionTracer } from "./Span.ts"

/** How a use came to its session: it was ready, it was on its way already, or it had to be opened for this use. */
export type Acquisition = "hit" | "joined" | "miss"
export type OpeningOutcome = "succeeded" | "failed" | "timedOut" | "cancelled"
/** What was worst in a drain: something leaked, tasks were cut, or neither. */
export type DrainOutcome = "finished" | "cut" | "leaked"

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

/** A task that has ended, or was abandoned. Times are epoch milliseconds, durations milliseconds. */
export interface EndedTask {
  readonly id: string
  /** In the order of hand-in, in its registry. */
  readonly number: number
  readonly key: string
  readonly name: string
  readonly kind: TaskInfo["kind"]
  readonly outcome: TaskOutcome
  /** Why it was refused or stopped: the `reason` of the error its caller got. Undefined: it ended by itself. */
  readonly reason: EndReason | undefined
  /** It was told to stop; it may have succeeded all the same. */
  readonly stop: TaskStop | undefined
  /** The task it was called from; of work in the background, the one that started it. */
  readonly parent: TaskRef | undefined
  /** Of its session, as `SessionRef` has it; 0: it never had one. */
  readonly generation: number
  readonly serial: number
  readonly queuedAt: number
  /** Undefined: it never started. */
  readonly startedAt: number | undefined
  /** When its work ended, or was given up. */
  readonly endedAt: number
  readonly waitedMs: number
  readonly ranMs: number
  /** As of a live one; undefined: not known. */
  readonly resumes: number | undefined
  readonly suspendedMs: number | undefined
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
  /** Background work that failed: nobody was there to be told. */
  readonly unobserved: number
  /** Calls refused because they would have waited for themselves. */
  readonly reentrant: number
  /** Drains that have ended: one in the life of a registry. */
  readonly drains: { readonly [K in DrainOutcome]: number }
  /** Tasks that are counted under the name `other`, for want of room for theirs. */
  readonly otherTasks: number
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
  /** Of those that run, how many have been told to stop. */
  readonly stopping: number
  readonly leases: number
  /** Generations that were abandoned and have not ended. */
  readonly leaked: number
  /** Epoch milliseconds; undefined: none is idle. */
  readonly oldestIdleSince: number | undefined
}

/** What one watcher has not seen yet. */
export interface SessionChanges extends Disposable {
  /**
   * Visits each session that was used or changed its state since the last take, and at most `others` of those that were there
   * before anybody watched (then `changed` is false), until there are none of these left. What a visit is given is good for
   * that visit. Noted are hand-ins, background work, tasks that are told to stop, and states; not that a task ended.
   * Take often: until then also those that were closed meanwhile are held.
   */
  readonly take: (visit: (session: LiveSession, changed: boolean) => unknown, others?: number) => void
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
  /** Epoch milliseconds by the registry's own clock: what the times told here are to be compared with. */
  readonly now: () => number
  /** Since when, and when the turns' time is or was over; undefined: not draining, or without an end. Epoch milliseconds. */
  readonly draining: { readonly since: number; readonly cutAt: number | undefined } | undefined
  readonly totals: Totals
  readonly tasks: () => Iterable<NamedTasks>
  readonly durations: {
    /** From hand-in to start. */
    readonly waits: DurationStats
    /** From start to the real end. */
    readonly runs: DurationStats
    /** From being told to stop to the real end, or until it was abandoned. */
    readonly stopping: DurationStats
    /** From hand-in until the session was ready, of uses that had to wait for that. */
    readonly acquires: { readonly [K in Exclude<Acquisition, "hit">]: DurationStats }
    /** Of openings that succeeded. */
    readonly opens: DurationStats
    /** From the begin of an opening until it was ready, had failed, or was given up. */
    readonly openingTimes: { readonly [K in OpeningOutcome]: DurationStats }
    readonly closes: DurationStats
    /** From ready to closing. */
    readonly lifetimes: DurationStats
    /** From the begin of a drain to its end. */
    readonly drainTimes: DurationStats
  }
  readonly gauges: () => Gauges
  /** Sessions that the registry knows of; some of them may be remembered only, and read as closed. */
  readonly size: number
  /** Visits every session, in no order, until a visit says `false`. What it is given is good for that visit. */
  readonly each: (visit: (session: LiveSession) => unknown) => void
  /** By its canonical key: `SessionRef.key`. */
  readonly find: (key: string) => LiveSession | undefined
  /** What is remembered of a key's lives, at most 64 facts, oldest first; by its canonical key. */
  readonly history: (key: string) => ReadonlyArray<SessionFact>
  /** From now on changes are noted, until the result is disposed. */
  readonly watchChanges: () => SessionChanges
  /**
   * Closes idle sessions as making room would, longest idle first: what they save is kept. At most `most`, and only those that
   * are idle for `idleForMs`; gives how many.
   */
  readonly evictIdle: (most: number, idleForMs: number) => number
  /** The last 256 tasks that ended, newest first. */
  readonly recent: () => Iterable<EndedTask>
  /** Tasks that were abandoned and have not ended, the last 100, oldest first. Their sessions show them no more. */
  readonly unended: () => Iterable<EndedTask>
  /** When the task that runs for longest was started. Epoch milliseconds. */
  readonly oldestTaskSince: () => number | undefined
  /**
   * Calls `listener` at the end of each task that was started, at once and in the async context of its caller, until the
   * result is called. For what must be read there and then, such as the active span: it is on the way of every turn.
   * What it throws is counted as a listener's error. `task`: as `tasks()` names it.
   */
  readonly watchEnds: (listener: (task: string, ranMs: number) => void) => () => void
  /**
   * Has spans made of what happens from now on, until the result is called; what is under way then still ends its span.
   * Undefined: it has a tracer already, of its own or given before.
   */
  readonly traceWith: (tracer: SessionTracer) => (() => void) | undefined
}
