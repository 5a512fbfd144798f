import type { TaskInfo } from "@sojourn/core"
import type { EndedTask, LiveTask, TaskRef } from "@sojourn/core/inspect"
import type { Named, Names } from "../names/Names.ts"
import type { TaskRef as RefOnWire, TaskRow } from "../protocol/sessions.ts"
import { bounds, liveTaskStates } from "../protocol/words.ts"
import { cleaned, withoutKey, type Secret } from "../safety/text.ts"
import type { Loose } from "./sessionRow.ts"

/** A task's name is its application's, but applications name tasks after what they are asked for. */
export const nameOf = (name: string, secret: Secret): string => cleaned(withoutKey(name, secret), bounds.name)

const live = new Set<string>(liveTaskStates)
/** A task that is listed has not ended, also when its caller has its outcome: then it is on its way to its end. */
export const liveState = (state: LiveTask["state"]): LiveTask["state"] =>
  live.has(state) ? state : "stopping"

/** What is known of every task. */
const common = (
  kind: string,
  { id, name, queuedAt, startedAt }: Pick<TaskInfo, "id" | "name" | "queuedAt" | "startedAt">,
  named: Named,
): Pick<TaskRow, "row" | "kind" | "id" | "name" | "session" | "queuedAt"> &
  Loose<Pick<TaskRow, "shown" | "startedAt">> => ({
  row: `${kind}/${id}`,
  kind,
  id,
  name: nameOf(name, named),
  session: named.hash,
  shown: named.shown,
  queuedAt,
  startedAt,
})
/** Of a task that does not live, or of which only `explain` tells. */
const unknown = {
  progressAt: undefined,
  toldAt: undefined,
  cut: undefined,
  endedAt: undefined,
  abandoned: false,
  waitsForCall: false,
  waitsForConsumer: false,
  parent: undefined,
  note: undefined,
  silenceMs: undefined,
  knownBy: undefined,
  resumedAt: undefined,
  resumes: undefined,
  suspended: undefined,
  suspendedMs: undefined,
} as const

export const taskRow = (kind: string, task: LiveTask, named: Named, names: Names): Loose<TaskRow> => {
  const { parent, silence } = task
  return {
    ...common(kind, task, named),
    type: task.kind,
    state: liveState(task.state),
    progressAt: task.progressAt,
    toldAt: task.toldAt,
    cut: task.cut,
    endedAt: undefined,
    abandoned: task.abandoned,
    waitsForCall: task.waitsForCall,
    waitsForConsumer: task.waitsForConsumer,
    parent: parent === undefined ? undefined : taskRef(parent, names),
    note: noteOf(task.note, named),
    silenceMs: Number.isFinite(silence) ? silence : undefined,
    knownBy: task.knownBy,
    resumedAt: task.resumedAt,
    resumes: task.resumes,
    suspended: task.isSuspended,
    suspendedMs: task.suspendedMs,
  }
}

export const taskRef = (ref: TaskRef, names: Names): RefOnWire => {
  const named = names.ofKey(ref.registry, ref.key)
  return { kind: ref.registry, session: named.hash, id: ref.id, name: nameOf(ref.name, named) }
}

/** Of a task that `explain` tells of. */
export const taskInfoRow = (kind: string, task: TaskInfo, named: Named): Loose<TaskRow> => ({
  ...unknown,
  ...common(kind, task, named),
  type: task.kind,
  state: liveState(task.state),
  progressAt: task.progressAt,
  note: noteOf(task.note, named),
})

export const endedTaskRow = (kind: string, task: EndedTask, named: Named, names: Names): Loose<TaskRow> => {
  const { parent, stop } = task
  return {
    ...unknown,
    ...common(kind, task, named),
    type: task.kind,
    state: task.outcome,
    toldAt: stop?.at,
    cut: stop?.reason,
    endedAt: task.endedAt,
    abandoned: stop?.abandonedAt !== undefined,
    parent: parent === undefined ? undefined : taskRef(parent, names),
    resumes: task.resumes,
    suspendedMs: task.suspendedMs,
  }
}

const noteOf = (note: string | undefined, named: Named): string | undefined =>
  note === undefined ? undefined : cleaned(withoutKey(note, named), bounds.note)
