/** Notes of stops, where they happen: plain data that may outlive the task. */
import {
  StopRecord,
  usuallyStoppedBy,
  type OuterTask,
  type StoppedBy,
  type TaskPlace,
} from "../observe/StopRecord.ts"
import type { TaskStoppedReason } from "../errors.ts"
import type { Task } from "./Task.ts"

export const placeOf = (task: Task): TaskPlace => ({
  registry: task.registry.name,
  key: task.session?.key ?? "",
  number: task.number,
  name: task.name,
})

export const outerOf = (task: Task | undefined): OuterTask | undefined =>
  task && { task: placeOf(task), stop: task.extras?.stop }

/** The first stop counts. `now`: when it was told; undefined: it was not. */
export const noteStop = (
  task: Task,
  reason: TaskStoppedReason,
  now: number | undefined,
  by: StoppedBy = usuallyStoppedBy(reason),
  outer?: OuterTask,
): StopRecord => {
  const closeReason = by === "close" ? task.generation?.reason : undefined
  const stop = (task.more.stop ??= new StopRecord(reason, by, now, outer, closeReason))
  if (task.outcome !== undefined) stop.callerToldAt ??= now
  return stop
}
