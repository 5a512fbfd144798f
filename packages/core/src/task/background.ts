/** Work that outlives the turn it was started in: it holds the session, takes no slot, and ends with the generation. */
import { captureCarrier } from "../context.ts"
import { SessionMisuse } from "../errors.ts"
import type { Task } from "./Task.ts"

export const taskEnded = (task: Task): SessionMisuse =>
  new SessionMisuse({ reason: "TaskEnded", session: task.generation?.ref ?? task.session?.ref })

/** `false` when the session is ending. @throws SessionMisuse TaskEnded */
export const startBackground = (task: Task, make: () => Task): boolean => {
  const { generation, registry, session } = task
  if (task.state === "ended" || generation === undefined || session === undefined) throw taskEnded(task)
  if (generation.phase !== "live" || generation.cold?.barrier !== undefined) return false
  const now = registry.time.now()
  const background = make()
  background.session = session
  background.queuedAt = now
  background.silence = registry.policy.timeouts.silence
  background.carrier = captureCarrier()
  registry.turns.start(session, background, now)
  registry.steps.commit()
  return true
}

const longestNote = 256

/** A sign of life. @throws SessionMisuse TaskEnded */
export const noteProgress = (task: Task, note: string | undefined): void => {
  if (task.state === "ended") throw taskEnded(task)
  task.registry.turns.progress(task)
  if (typeof note === "string") task.more.note = note.slice(0, longestNote)
}

/** Carried out when the turn has ended. @throws SessionMisuse TaskEnded */
export const doAfterwards = (task: Task, what: "close" | "restart"): void => {
  if (task.state === "ended") throw taskEnded(task)
  task.more.afterwards = what
}
