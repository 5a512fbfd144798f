import type { SessionRef } from "../SessionKey.ts"
import type {
  SessionMisuseReason,
  SessionOpenFailedReason,
  SessionRefusedReason,
  TaskStoppedReason,
} from "../errors.ts"
import type { CloseReason } from "../Sessions.ts"

export type SessionState =
  | "Waiting"
  | "Backoff"
  | "Opening"
  | "Ready"
  | "Restarting"
  | "Closing"
  | "Quarantined"
  | "Closed"
export type TaskOutcome = "succeeded" | "failed" | "cancelled" | "timedOut" | "interrupted" | "rejected"

/** Why we refused or stopped a task: the `reason` of the error its caller got. */
export type EndReason =
  | SessionRefusedReason
  | SessionOpenFailedReason
  | SessionMisuseReason
  | TaskStoppedReason

/** One tracked unit of work. Times are epoch milliseconds. */
export interface TaskInfo {
  readonly id: string
  readonly name: string
  readonly kind: "turn" | "stream" | "background"
  readonly session: SessionRef
  readonly state: "queued" | "running" | "stopping" | TaskOutcome
  readonly queuedAt: number
  readonly startedAt: number | undefined
  readonly progressAt: number | undefined
  readonly note: string | undefined
}

/** Something that keeps a session alive: running work, a lease, or somebody who waits. Times are epoch milliseconds. */
export interface LeaseInfo {
  readonly kind: TaskInfo["kind"] | "lease" | "waiter"
  readonly name: string
  readonly since: number
  readonly progressAt: number
  readonly expiresAt: number | undefined
}

/** One fact of a session's life. Times are epoch milliseconds. */
export interface SessionFact {
  readonly at: number
  /** Which generation of this stay, and its number in the registry. */
  readonly generation: number
  readonly serial: number
  readonly what:
    | "Opening"
    | "Opened"
    | "OpenFailed"
    | "Lost"
    | "Quarantined"
    | "Closing"
    | "Closed"
    | "LeakEnded"
    /** A task that would not end, and whose slot was given up. */
    | "Abandoned"
    /** Too old or used up: starts nothing new. */
    | "Retiring"
    | "SnapshotConflict"
    | "SnapshotUnreadable"
    | "SnapshotSetAside"
  /** A reason, or an error in a few words. */
  readonly detail: string | undefined
}

/** Why a session is alive, why it ended, why a request waits. Of a key never seen: Closed, generation 0. */
export interface Explanation {
  readonly session: SessionRef
  readonly state: SessionState
  /** Everything that keeps it from being idle; empty when it is idle. */
  readonly alive: ReadonlyArray<LeaseInfo>
  /** When it will be closed if nobody uses it. Epoch milliseconds. */
  readonly closesAt: number | undefined
  /** How its last generation ended, while that is remembered. */
  readonly ended: { readonly at: number; readonly reason: CloseReason } | undefined
  readonly tasks: ReadonlyArray<
    TaskInfo & {
      readonly waitsFor: "seat" | "backoff" | "open" | "turn" | "probe" | "restart" | "leak" | undefined
      /** How many are ahead of it in the same line. */
      readonly behind: number
      /** The clock that ends its waiting if nothing else does. */
      readonly waitEnds: { readonly clock: "timeout" | "queue" | "seat"; readonly at: number } | undefined
    }
  >
  readonly restarts: { readonly left: number; readonly nextAt: number | undefined }
  /** The last few errors, oldest first. */
  readonly errors: ReadonlyArray<{
    readonly at: number
    readonly in: "open" | "task" | "probe" | "save" | "close"
    readonly error: unknown
  }>
  /** The last 64 facts of its life, oldest first; earlier stays included while they are remembered. */
  readonly history: ReadonlyArray<SessionFact>
  /** A paragraph for people. */
  readonly toString: () => string
}
