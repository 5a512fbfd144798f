/** The series of one metric: added up over registries, as one number each or as the numbers of a histogram. */
import type { Definition, Reading } from "./catalogue.ts"

interface Row {
  /** `kind` first. */
  readonly labels: ReadonlyArray<string>
  readonly values: ReadonlyArray<number>
}

const add = (a: number, b: number): number => a + b

export class Series {
  readonly #definition: Definition
  readonly #rows = new Map<string, Row>()
  constructor(definition: Definition) {
    this.#definition = definition
  }
  get rows(): Iterable<Row> {
    return this.#rows.values()
  }
  /** What one registry shows now. */
  take(kind: string, reading: Reading, taskOf: (name: string) => string): void {
    const definition = this.#definition
    const labelled = (labels: ReadonlyArray<string>): ReadonlyArray<string> => [
      kind,
      ...labels.map((value, index) => (definition.labels[index] === "task" ? taskOf(value) : value)),
    ]
    if (definition.type === "histogram") {
      const bounds = definition.buckets.map((seconds) => seconds * 1000)
      for (const [labels, durations] of definition.read(reading))
        this.#put(labelled(labels), [...durations.upTo(bounds), durations.count, durations.sum / 1000])
    } else for (const [labels, value] of definition.read(reading)) this.#put(labelled(labels), [value])
  }
  /** What is left of a registry that has ended: its counts for good, and nothing that is now. */
  keep(kind: string, reading: Reading, taskOf: (name: string) => string): void {
    const { together, type } = this.#definition
    if (type !== "gauge") return this.take(kind, reading, taskOf)
    if (together === "min") return
    for (const [labels] of this.#definition.read(reading)) this.#put([kind, ...labels], [0])
  }
  addAll(others: Series): void {
    for (const { labels, values } of others.rows) this.#put(labels, values)
  }

  #put(labels: ReadonlyArray<string>, values: ReadonlyArray<number>): void {
    const id = JSON.stringify(labels)
    const before = this.#rows.get(id)
    const combine = this.#definition.together === "min" ? Math.min : add
    this.#rows.set(
      id,
      before === undefined
        ? { labels, values }
        : { labels, values: values.map((value, index) => combine(before.values[index] ?? 0, value)) },
    )
  }
}
