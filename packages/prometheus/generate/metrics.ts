/** The catalogue as others see it: full names, and all labels. */
import { catalogue, processCatalogue } from "../src/catalogue.ts"

export const prefix = "sojourn_"

export interface SeenMetric {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly labels: ReadonlyArray<string>
  readonly help: string
  readonly together: "sum" | "min" | "max"
  readonly buckets: ReadonlyArray<number> | undefined
}

export const metrics: ReadonlyArray<SeenMetric> = [
  ...catalogue.map((definition): SeenMetric => {
    const { help, labels, name, together, type } = definition
    const buckets = definition.type === "histogram" ? definition.buckets : undefined
    return { name: prefix + name, type, labels: ["kind", ...labels], help, together, buckets }
  }),
  ...processCatalogue.map(({ bare, buckets, help, labels, name, together, type }): SeenMetric => ({
    name: (bare === true ? "" : prefix) + name,
    type,
    labels,
    help,
    together,
    buckets,
  })),
]
