/**
 * Live sessions and tasks as who shows them reads them: nothing is copied, every field is computed when it is read. So a
 * window of sixty rows over a hundred thousand sessions costs a look at the fields it filters and sorts by, and sixty rows.
 */
import type { TaskStoppedReason } from "../errors.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { Explanation, SessionState, TaskInfo } from "./Explanation.ts"

/** Times are epoch milliseconds. After its session was forgotten it reads as closed. */
export interface LiveSession {
  /** Made anew each time. */
  readonly ref: SessionRef
  readonly key: string
  readonly id: string
  readonly owner: string | undefined
  readonly state: SessionState
  /** How many times the resource was built in this stay, the one that opens included. */
  readonly generation: number
  /** When the live generation became ready. */
  readonly openedAt: number | undefined
  /** When the generation in its present phase of opening or closing began it. */
  readonly openingSince: number | undefined
  readonly closingSince: number | undefined
  /** Ready, and nobody uses it. */
  readonly isIdle: boolean
  readonly idleSince: number | undefined
  /** When it closes if nobody uses it. */
  readonly closesAt: number | undefined
  /** Turns, streams and background work. */
  readonly running: number
  /** All who wait: for a turn, or for the resource. */
  readonly queued: number
  readonly leases: number
  /** Runs and streams started on this generation. */
  readonly turns: number
  /** Of those that run or wait, when the first one was handed in. */
  readonly oldestTaskAt: number | undefined
  /** Generations lost within the restart window. */
  readonly losses: number
  /** Openings that failed in a row. */
  readonly failedOpens: number
  /** Not opened before this. */
  readonly retryAt: number | undefined
  readonly lastError: Explanation["errors"][number] | undefined
  /** Abandoned work of this generation that has not ended. */
  readonly abandoned: number
  /** Those that run, then those that wait, each in order. Each is good as long as its task is. */
  readonly tasks: () => Iterable<LiveTask>
  /** This one, to be kept: what a visit is given is good for that visit only. */
  readonly keep: () => LiveSession
}

/** Times are epoch milliseconds. */
export interface LiveTask {
  readonly id: string
  /** In the order of hand-in, in its registry. */
  readonly number: number
  readonly name: string
  readonly kind: TaskInfo["kind"] | "lease"
  readonly session: LiveSession
  readonly state: TaskInfo["state"]
  readonly queuedAt: number
  /** Undefined while it waits. */
  readonly startedAt: number | undefined
  readonly progressAt: number | undefined
  /** When it was told to stop, and why. */
  readonly toldAt: number | undefined
  readonly cut: TaskStoppedReason | undefined
  /** It would not end, and its slot was given up. */
  readonly abandoned: boolean
  /** A call it made is under way. */
  readonly waitsForCall: boolean
  /** The task it was called from, in this registry or another. */
  readonly parent: { readonly registry: string; readonly id: string } | undefined
  readonly note: string | undefined
  /** Made anew each time. */
  readonly info: TaskInfo
}
