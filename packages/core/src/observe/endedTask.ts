import type { Registry } from "../registry/Registry.ts"
import type { EndedTask } from "./Inspection.ts"
import type { TaskRecord } from "./TaskRing.ts"
import { refOfPlace, taskStop } from "./taskStop.ts"

/** A record as observers read it. */
export const endedTask = ({ epochOf }: Registry, record: TaskRecord): EndedTask => {
  const { endedAt, parent, queuedAt, resumes, startedAt, stop } = record
  const started = !Number.isNaN(startedAt)
  const ended = record.outcome === "succeeded" || record.outcome === "failed"
  return {
    id: `t${record.number}`,
    number: record.number,
    key: record.key,
    name: record.name,
    kind: record.kind === "lease" ? "turn" : record.kind,
    outcome: record.outcome,
    reason: record.reason ?? (ended ? undefined : stop?.reason),
    stop: stop && taskStop(stop, epochOf),
    parent: parent.number === 0 ? undefined : refOfPlace(parent),
    generation: record.generation,
    serial: record.serial,
    queuedAt: epochOf(queuedAt),
    startedAt: started ? epochOf(startedAt) : undefined,
    endedAt: epochOf(endedAt),
    waitedMs: (started ? startedAt : endedAt) - queuedAt,
    ranMs: started ? endedAt - startedAt : 0,
    resumes: resumes === 0 ? undefined : resumes,
    suspendedMs: resumes === 0 ? undefined : record.suspendedMs,
  }
}
