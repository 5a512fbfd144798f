/** Work that outlives the turn it was started in: it holds the session, takes no slot, and ends with the generation. */
import { captureCarrier } from "../context.ts"
import { SessionMisuse } from "../errors.ts"
import type { Generation } from "../session/Generation.ts"
import { placeOf } from "./stopRecords.ts"
import type { Task } from "./Task.ts"

export const taskEnded = (task: Task): SessionMisuse =>
  new SessionMisuse({ reason: "TaskEnded", session: task.generation?.ref ?? task.session?.ref })

/** Over, or put back: what its run on that generation left behind is not this task any more (L21). */
const isOver = (task: Task, of: Generation | undefined): boolean =>
  task.state === "ended" || task.generation !== of

/** `of`: the generation it was started on. `false` when the session is ending. @throws SessionMisuse TaskEnded */
export const startBackground = (task: Task, of: Generation | undefined, make: () => Task): boolean => {
  const { generation, registry, session } = task
  if (isOver(task, of) || generation === undefined || session === undefined) throw taskEnded(task)
  if (generation.phase !== "live" || generation.cold?.barrier !== undefined) return false
  const now = registry.time.now()
  const background = make()
  background.session = session
  background.queuedAt = now
  background.silence = registry.policy.timeouts.silence
  background.more.startedBy = placeOf(task)
  if (registry.tracing !== undefined) registry.tracing.task(background, generation.ref)
  background.carrier ??= captureCarrier()
  registry.changed(session)
  registry.turns.start(session, background, now)
  registry.steps.commit()
  return true
}

const longestNote = 256

/** A sign of life. @throws SessionMisuse TaskEnded */
export const noteProgress = (task: Task, of: Generation | undefined, note: string | undefined): void => {
  if (isOver(task, of)) throw taskEnded(task)
  task.registry.turns.progress(task)
  if (typeof note === "string") task.more.note = note.slice(0, longestNote)
}

/** Carried out when the turn has ended. @throws SessionMisuse TaskEnded */
export const doAfterwards = (task: Task, of: Generation | undefined, what: "close" | "restart"): void => {
  if (isOver(task, of)) throw taskEnded(task)
  task.more.afterwards = what
}
