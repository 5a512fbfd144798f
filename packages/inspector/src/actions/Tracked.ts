/** Tasks that were told to stop, and whether they have. */
import type { Inspection, LiveTask } from "@sojourn/core/inspect"

/** Tasks of one session. */
export interface OfSession {
  readonly inspection: Inspection
  readonly key: string
  readonly tasks: ReadonlyArray<LiveTask>
}

export class Tracked {
  #groups: ReadonlyArray<OfSession>
  constructor(groups: ReadonlyArray<OfSession>) {
    this.#groups = groups
  }
  look(): { readonly underWay: number; readonly abandoned: number } {
    const counts = { underWay: 0, abandoned: 0 }
    // Those that have ended are let go.
    this.#groups = this.#groups.flatMap((group) => {
      const tasks = left(group, counts)
      return tasks.length === 0 ? [] : [{ ...group, tasks }]
    })
    return counts
  }
}

/**
 * Told is not ended: a task that was cancelled has its outcome at once, and may run on. Abandoned is neither: its session has it
 * no more, and its real end is noted when it comes.
 */
const left = (
  { inspection, key, tasks }: OfSession,
  counts: { underWay: number; abandoned: number },
): ReadonlyArray<LiveTask> => {
  const listed = new Set<string>()
  for (const { id } of inspection.find(key)?.tasks() ?? []) listed.add(id)
  return tasks.filter((task) => {
    if (task.abandoned) {
      if (task.stop?.endedAt !== undefined) return false
      counts.abandoned++
      return true
    }
    if (!listed.has(task.id)) return false
    counts.underWay++
    return true
  })
}
