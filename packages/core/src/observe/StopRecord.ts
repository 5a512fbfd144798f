/**
 * That a task was told to stop, by whom, and what came of it. Plain data, so that it may be kept when the task is gone. Times
 * are monotonic milliseconds.
 */
import type { CloseReason } from "../closeReasons.ts"
import type { TaskStoppedReason } from "../errors.ts"

/**
 * Who told it. `signal`, `left`, `timeout`: its caller, by its signal, by going away (its fiber was interrupted, it reads its
 * stream no more), by its `timeout`. `cancel`: `sessions.cancel`. `newerTurn`: one with `whenBusy: "replace"`. `outerTask`: the
 * task it was called from was told to stop. `silence`, `stall`: our clocks. `close`: the session's, or its registry's drain.
 */
export type StoppedBy =
  | "signal"
  | "left"
  | "timeout"
  | "cancel"
  | "newerTurn"
  | "outerTask"
  | "silence"
  | "stall"
  | "close"

/** Which task, in words: it may be gone. */
export interface TaskPlace {
  readonly registry: string
  readonly key: string
  readonly number: number
  readonly name: string
}
/** The task it was called from, and how that one was told to stop. */
export interface OuterTask {
  readonly task: TaskPlace
  readonly stop: StopRecord | undefined
}

export class StopRecord {
  readonly reason: TaskStoppedReason
  readonly by: StoppedBy
  readonly outer: OuterTask | undefined
  /** Why its generation goes, for `close`. */
  readonly closeReason: CloseReason | undefined
  /** Undefined: it was abandoned without having been told. */
  toldAt: number | undefined
  callerToldAt: number | undefined = undefined
  abandonedAt: number | undefined = undefined
  endedAt: number | undefined = undefined

  constructor(
    reason: TaskStoppedReason,
    by: StoppedBy,
    toldAt: number | undefined,
    outer?: OuterTask,
    closeReason?: CloseReason,
  ) {
    this.reason = reason
    this.by = by
    this.toldAt = toldAt
    this.outer = outer
    this.closeReason = closeReason
  }
}

/** `left`: of a cancelled task, unless something else is known. */
export const usuallyStoppedBy = (reason: TaskStoppedReason): StoppedBy => {
  switch (reason) {
    case "Timeout":
      return "timeout"
    case "Silent":
      return "silence"
    case "Stalled":
      return "stall"
    case "Replaced":
      return "newerTurn"
    case "Cancelled":
      return "left"
    case "CallerStopped":
      return "outerTask"
    case "Closed":
    case "Restarted":
    case "Drained":
    case "Broken":
      return "close"
  }
}
