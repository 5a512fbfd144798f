/** The last traced task of each bucket: kept only where somebody has asked for it, as it is looked up at the end of each task. */
import type { Inspection } from "@sojourn/core/inspect"
import { activeSpan } from "./activeSpan.ts"
import type { Exemplar } from "./samplesOf.ts"

type OfBuckets = Array<Exemplar | undefined>

export class Exemplars {
  /** Seconds. */
  readonly #buckets: ReadonlyArray<number>
  readonly #kinds = new Map<string, Map<string, OfBuckets>>()
  constructor(buckets: ReadonlyArray<number>) {
    this.#buckets = buckets
  }
  /** Until the result is called. `taskOf`: the label that a task of that name has. */
  watch(inspection: Inspection, kind: string, taskOf: (name: string) => string): () => void {
    return inspection.watchEnds((name, ranMs) => {
      const span = activeSpan()
      if (span === undefined) return
      const value = ranMs / 1000
      const found = this.#buckets.findIndex((bound) => value < bound)
      this.#of(kind, taskOf(name))[found === -1 ? this.#buckets.length : found] = {
        labelSet: { trace_id: span.traceId, span_id: span.spanId },
        value,
        timestamp: Date.now() / 1000,
      }
    })
  }
  /** By bucket; the last is that of `+Inf`. */
  find(kind: string | undefined, task: string | undefined): ReadonlyArray<Exemplar | undefined> | undefined {
    return this.#kinds.get(kind ?? "")?.get(task ?? "")
  }

  #of(kind: string, task: string): OfBuckets {
    let tasks = this.#kinds.get(kind)
    if (tasks === undefined) this.#kinds.set(kind, (tasks = new Map()))
    let buckets = tasks.get(task)
    if (buckets === undefined) {
      buckets = Array.from({ length: this.#buckets.length + 1 }, () => undefined)
      tasks.set(task, buckets)
    }
    return buckets
  }
}
