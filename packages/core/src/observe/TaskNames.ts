/** What is counted of tasks by their name. Names are a small vocabulary; one that is not must not fill the memory. */
import type { TaskOutcome } from "./Explanation.ts"
import { Histogram } from "./Histogram.ts"

const mostNames = 50
/** The name of all names beyond those. */
const otherTasks = "other"

export const noOutcomes = (): Record<TaskOutcome, number> => ({
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  timedOut: 0,
  interrupted: 0,
  rejected: 0,
})

export class TaskStats {
  readonly name: string
  started = 0
  readonly outcomes: Record<TaskOutcome, number> = noOutcomes()
  /** From start to the real end. */
  readonly runs = new Histogram()
  constructor(name: string) {
    this.name = name
  }
}

export class TaskNames {
  readonly #known = new Map<string, TaskStats>()
  /** Tasks that are counted as others, for there are too many names. */
  others = 0
  #last: TaskStats | undefined

  of(name: string): TaskStats {
    // Most turns have the name of the one before.
    if (this.#last !== undefined && this.#last.name === name) return this.#last
    return (this.#last = this.#known.get(name) ?? this.#add(name))
  }
  /** In the order they were first seen. */
  all(): Iterable<TaskStats> {
    return this.#known.values()
  }
  #add(name: string): TaskStats {
    if (this.#known.size < mostNames) return this.#keep(name)
    this.others++
    return this.#known.get(otherTasks) ?? this.#keep(otherTasks)
  }
  #keep(name: string): TaskStats {
    const stats = new TaskStats(name)
    this.#known.set(name, stats)
    return stats
  }
}
