import type { SessionRef } from "../SessionKey.ts"
import type { CloseReason } from "../Sessions.ts"
import type { SessionRefusedReason } from "../errors.ts"
import type { LeaseInfo, TaskInfo, TaskOutcome } from "./Explanation.ts"

interface Stamp<Tag> {
  readonly _tag: Tag
  /** Epoch milliseconds. */
  readonly at: number
  /** 1, 2, 3 … in this registry; a gap was dropped and is told by `EventsDropped`. */
  readonly seq: number
}
interface Of<Tag> extends Stamp<Tag> {
  readonly session: SessionRef
}

/**
 * `Outage`: many openings fail, so no further ones are tried but one at a time. `SnapshotConflict`: another writer has saved
 * since this session opened, so its own state was dropped. `SnapshotUnreadable`: a stored state is corrupt or of a later
 * format; the session opened without it. `SnapshotSetAside`: openings with the stored state failed twice; the next one goes
 * without it. `EngineDefect`: a mistake of ours; please report it.
 */
export type Warning =
  | "Outage"
  | "SnapshotConflict"
  | "SnapshotUnreadable"
  | "SnapshotSetAside"
  | "EngineDefect"

/** Every fact of a session's life, as one union. */
export type SessionEvent =
  | Of<"Opening">
  | (Of<"Opened"> & { readonly durationMs: number })
  | (Of<"OpenFailed"> & { readonly error: unknown; readonly retryAt: number })
  | (Of<"Lost"> & { readonly cause: unknown; readonly by: "resource" | "task" | "probe" | "watchdog" })
  | (Of<"Quarantined"> & { readonly until: number })
  | (Of<"Closing"> & { readonly reason: CloseReason })
  | (Of<"Closed"> & { readonly reason: CloseReason; readonly durationMs: number; readonly leaked: boolean })
  /** What was abandoned at its close deadline has ended after all. */
  | Of<"LeakEnded">
  | (Of<"TaskQueued" | "TaskStarted"> & { readonly task: TaskInfo })
  | (Of<"TaskEnded"> & {
      readonly task: TaskInfo
      readonly outcome: TaskOutcome
      readonly waitedMs: number
      readonly ranMs: number
      readonly error: unknown
    })
  | (Of<"LeaseTaken" | "LeaseReleased" | "LeaseExpired"> & { readonly lease: LeaseInfo })
  | (Of<"WarningRaised" | "WarningCleared"> & {
      readonly warning: Warning
      readonly evidence: Readonly<Record<string, number>>
    })
  | (Stamp<"Refused"> & { readonly key: string; readonly reason: SessionRefusedReason })
  | Stamp<"DrainStarted" | "DrainEnded">
  | (Stamp<"EventsDropped"> & { readonly count: number })
