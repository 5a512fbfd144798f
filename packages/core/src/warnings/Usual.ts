/** What is usual in a kind: percentiles of its histograms, which are walked at most once in ten looks. */
import type { Inspection } from "../observe/Inspection.ts"
import type { Peers } from "./rules/tasks.ts"

const looksKept = 10
const none: Peers = { samples: 0, usual: 0 }
/** Under which the tasks of all names beyond the first fifty are counted. */
const otherTasks = "other"

export class Usual {
  readonly #inspection: Inspection
  #tasks = new Map<string, Peers>()
  #tasksAt = -Infinity
  #opening = none
  #openingAt = -Infinity
  constructor(inspection: Inspection) {
    this.#inspection = inspection
  }

  taskOf(name: string, look: number): Peers {
    if (look - this.#tasksAt >= looksKept) {
      this.#tasksAt = look
      this.#tasks = new Map()
      for (const { name: known, runs } of this.#inspection.tasks())
        this.#tasks.set(known, { samples: runs.count, usual: runs.quantile(0.95) })
    }
    return this.#tasks.get(name) ?? this.#tasks.get(otherTasks) ?? none
  }
  opening(look: number): Peers {
    if (look - this.#openingAt >= looksKept) {
      this.#openingAt = look
      const { opens } = this.#inspection.durations
      this.#opening = { samples: opens.count, usual: opens.quantile(0.95) }
    }
    return this.#opening
  }
}
