import type { SessionRef } from "../SessionKey.ts"
import type { Task } from "../task/Task.ts"
import type { TaskInfo } from "./Explanation.ts"

export const publicTaskState = (task: Task): TaskInfo["state"] =>
  task.outcome ?? (task.state === "ended" ? "interrupted" : task.state)

/** What an observer may know of it. */
export const taskInfo = (task: Task, session: SessionRef): TaskInfo => {
  const epoch = task.registry.epochOf
  return {
    id: task.id,
    name: task.name,
    kind: task.kind === "lease" ? "turn" : task.kind,
    session,
    state: publicTaskState(task),
    queuedAt: epoch(task.queuedAt),
    startedAt: task.started ? epoch(task.startedAt) : undefined,
    progressAt: task.started ? epoch(task.progressAt) : undefined,
    note: task.extras?.note,
  }
}
