/** The series of one metric: added up over registries, as one number each or as the numbers of a histogram. */
import type { Definition, Reading } from "./catalogue.ts"
import { type Exemplar, fill, type Sample, samplesOf } from "./samplesOf.ts"

interface Row {
  /** `kind` first. */
  readonly labels: ReadonlyArray<string>
  /** Of registries that have ended. */
  kept: ReadonlyArray<number> | undefined
  /** Undefined: there is no such series now. */
  values: Array<number> | undefined
  /** Made when first asked for, and filled anew in each scrape. */
  readonly samples: Map<boolean, Array<Sample>>
}
/** By the value of one label after the other. */
type Rows = Map<string, Rows | Row>

export class Series {
  readonly #definition: Definition
  readonly #name: string
  readonly #names: ReadonlyArray<string>
  readonly #buckets: ReadonlyArray<number> | undefined
  readonly #bounds: ReadonlyArray<number>
  readonly #byLabels: Rows = new Map()
  readonly #rows: Array<Row> = []
  constructor(definition: Definition, name: string) {
    this.#definition = definition
    this.#name = name
    this.#names = ["kind", ...definition.labels]
    this.#buckets = definition.type === "histogram" ? definition.buckets : undefined
    this.#bounds = (this.#buckets ?? []).map((seconds) => seconds * 1000)
  }
  /** A new look at all registries: only what has ended is known. */
  begin(): void {
    for (const row of this.#rows) row.values = row.kept === undefined ? undefined : [...row.kept]
  }
  /** What one registry shows now. */
  take(reading: Reading): void {
    this.#read(reading, (labels, values) => {
      const row = this.#row(labels)
      row.values = this.#together(row.values, values)
    })
  }
  /** What is left of a registry that has ended: its counts for good, and nothing that is now. */
  keep(reading: Reading): void {
    const { together, type } = this.#definition
    if (type === "gauge" && together === "min") return
    this.#read(reading, (labels, values) => {
      const row = this.#row(labels)
      row.kept = this.#together(row.kept, type === "gauge" ? [0] : values)
    })
  }
  /** `shared`: for printing. The same objects are given each time. */
  samples(
    shared: boolean,
    exemplarsOf?: (labels: ReadonlyArray<string>) => ReadonlyArray<Exemplar | undefined> | undefined,
  ): Array<Sample> {
    const all: Array<Sample> = []
    for (const { labels, samples: known, values } of this.#rows) {
      if (values === undefined) continue
      let samples = known.get(shared)
      if (samples === undefined) {
        samples = samplesOf(this.#name, this.#names, this.#buckets, labels, shared)
        known.set(shared, samples)
      }
      fill(samples, values)
      const exemplars = exemplarsOf?.(labels)
      if (exemplars !== undefined)
        for (const [index, exemplar] of exemplars.entries()) {
          const sample = samples[index]
          if (sample !== undefined) sample.exemplar = exemplar
        }
      for (const sample of samples) all.push(sample)
    }
    return all
  }

  #read(reading: Reading, use: (labels: ReadonlyArray<string>, values: Array<number>) => void): void {
    const definition = this.#definition
    if (definition.type !== "histogram")
      for (const [labels, value] of definition.read(reading)) use([reading.kind, ...labels], [value])
    else
      for (const [labels, durations] of definition.read(reading)) {
        const values = durations.upTo(this.#bounds)
        values.push(durations.count, durations.sum / 1000)
        use([reading.kind, ...labels], values)
      }
  }
  #together(before: ReadonlyArray<number> | undefined, values: Array<number>): Array<number> {
    if (before === undefined) return values
    const least = this.#definition.together === "min"
    return values.map((value, index) => {
      const other = before[index] ?? 0
      return least ? Math.min(value, other) : value + other
    })
  }
  #row(labels: ReadonlyArray<string>): Row {
    let rows = this.#byLabels
    for (const label of labels.slice(0, -1)) {
      const found = rows.get(label)
      if (found instanceof Map) rows = found
      else {
        const next: Rows = new Map()
        rows.set(label, next)
        rows = next
      }
    }
    const last = labels.at(-1) ?? ""
    const found = rows.get(last)
    if (found !== undefined && !(found instanceof Map)) return found
    const row: Row = { labels, kept: undefined, values: undefined, samples: new Map() }
    rows.set(last, row)
    this.#rows.push(row)
    return row
  }
}
