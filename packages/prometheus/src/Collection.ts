/** What stands in one register: its metrics, and how many have asked for them. */
import { performance } from "node:perf_hooks"
import type { Metric, Registry, RegistryContentType } from "prom-client"
import {
  catalogue,
  type Definition,
  processCatalogue,
  type ProcessDefinition,
  stallBuckets,
} from "./catalogue.ts"
import { Collected } from "./Collected.ts"
import { LoopWatch } from "./LoopWatch.ts"
import { samplesOf } from "./samplesOf.ts"
import { type Sample, ShownMetric } from "./ShownMetric.ts"
import { versions } from "./versions.ts"

export class Collection {
  readonly prefix: string
  readonly registries = new Collected()
  holders = 0
  readonly #register: Registry<RegistryContentType>
  readonly #metrics: ReadonlyArray<ShownMetric>
  readonly #loop = new LoopWatch(stallBuckets)
  #spent = 0

  constructor(register: Registry<RegistryContentType>, prefix: string) {
    this.prefix = prefix
    this.#register = register
    this.#metrics = [
      ...catalogue.map((definition) => this.#ofRegistries(definition)),
      ...processCatalogue.map((definition) => this.#ofProcess(definition)),
    ]
  }
  /** Also again, after a `register.clear()`. Throws what prom-client does about a name that is taken. */
  show(): void {
    for (const metric of this.#metrics)
      if (this.#registered(metric) !== metric) this.#register.registerMetric(metric as unknown as Metric)
  }
  end(): void {
    this.#hide()
    this.#loop[Symbol.dispose]()
    this.registries[Symbol.dispose]()
  }

  #hide(): void {
    for (const metric of this.#metrics)
      if (this.#registered(metric) === metric) this.#register.removeSingleMetric(metric.name)
  }
  #registered(metric: ShownMetric): unknown {
    return this.#register.getSingleMetric(metric.name)
  }
  #ofRegistries(definition: Definition): ShownMetric {
    const { help, labels, together, type } = definition
    const name = this.prefix + definition.name
    const buckets = type === "histogram" ? definition.buckets : undefined
    const names = ["kind", ...labels]
    const samples = (): Array<Sample> => {
      const rows = [...(this.registries.frame().get(definition)?.rows ?? [])]
      return rows.flatMap((row) => samplesOf(name, names, buckets, row.labels, row.values))
    }
    return this.#shown({ name, type, help, aggregator: together, samples })
  }
  #ofProcess(definition: ProcessDefinition): ShownMetric {
    const { buckets, help, labels, read, together, type } = definition
    const name = definition.bare === true ? definition.name : this.prefix + definition.name
    const samples = (): Array<Sample> => {
      const [values, ...numbers] = read({
        versions,
        loop: this.#loop.reading(),
        scrapeSeconds: this.#spent / 1000,
      })
      return samplesOf(name, labels, buckets, values, numbers)
    }
    return this.#shown({ name, type, help, aggregator: together, samples })
  }
  #shown(setup: ConstructorParameters<typeof ShownMetric>[1]): ShownMetric {
    const samples = (): Array<Sample> => {
      // The first of a scrape: what the one before has taken is not in this one.
      if (this.#spent === 0) queueMicrotask(() => (this.#spent = 0))
      const begun = performance.now()
      try {
        return setup.samples()
      } finally {
        this.#spent += performance.now() - begun
      }
    }
    return new ShownMetric(this.#register, { ...setup, samples })
  }
}
