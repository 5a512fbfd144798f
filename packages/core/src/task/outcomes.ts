/** What became of a task, from the facts. Pure (semantics 2, "Task"). */
import type { TaskStoppedReason } from "../errors.ts"
import type { TaskOutcome } from "../observe/Explanation.ts"

/** Its work ended and its caller has not been told. A stopped task that still returned a value has succeeded (L5). */
export const outcomeOfWork = (cut: TaskStoppedReason | undefined, returned: boolean): TaskOutcome => {
  if (returned) return "succeeded"
  return cut === undefined ? "failed" : outcomeOfStop(cut)
}

/** It was stopped, and that is its outcome. */
export const outcomeOfStop = (reason: TaskStoppedReason): TaskOutcome => {
  switch (reason) {
    case "Timeout":
    case "Silent":
      return "timedOut"
    case "Stalled":
    case "Replaced":
    case "Cancelled":
    case "CallerStopped":
      return "cancelled"
    case "Closed":
    case "Restarted":
    case "Drained":
    case "Broken":
      return "interrupted"
  }
}
