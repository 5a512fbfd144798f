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
import { fill, type Sample, samplesOf } from "./samplesOf.ts"
import { ShownMetric } from "./ShownMetric.ts"
import { Slices } from "./Slices.ts"
import { versions } from "./versions.ts"
import { Warned } from "./Warned.ts"

export class Collection {
  readonly prefix: string
  readonly registries: Collected
  readonly warnings = new Warned()
  holders = 0
  readonly #register: Registry<RegistryContentType>
  readonly #metrics: ReadonlyArray<ShownMetric>
  readonly #loop = new LoopWatch(stallBuckets)
  readonly #slices = new Slices()
  /** When the scrape under way was asked for. */
  #begun = 0
  #asked = false

  constructor(register: Registry<RegistryContentType>, prefix: string) {
    this.prefix = prefix
    this.registries = new Collected(prefix)
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
    this.warnings[Symbol.dispose]()
  }

  #hide(): void {
    for (const metric of this.#metrics)
      if (this.#registered(metric) === metric) this.#register.removeSingleMetric(metric.name)
  }
  #registered(metric: ShownMetric): unknown {
    return this.#register.getSingleMetric(metric.name)
  }
  #ofRegistries(definition: Definition): ShownMetric {
    const { help, name, together, type } = definition
    return new ShownMetric(this.#register, {
      name: this.prefix + name,
      type,
      help,
      aggregator: together,
      samples: (shared) => this.#read(() => this.registries.samples(definition, shared)),
    })
  }
  #ofProcess(definition: ProcessDefinition): ShownMetric {
    const { buckets, help, labels, read, together, type } = definition
    const name = definition.bare === true ? definition.name : this.prefix + definition.name
    const samples = (shared: boolean): Array<Sample> => {
      const rows = read({
        versions,
        loop: this.#loop.reading(),
        warnings: this.warnings.counts(),
        scrapeSeconds: (performance.now() - this.#begun) / 1000,
        scrapeErrors: this.registries.errors,
      })
      return rows.flatMap(([values, ...numbers]) => {
        const shown = samplesOf(name, labels, buckets, values, shared)
        fill(shown, numbers)
        return shown
      })
    }
    return new ShownMetric(this.#register, {
      name,
      type,
      help,
      aggregator: together,
      samples: (shared) => this.#read(() => samples(shared)),
    })
  }
  /** A register asks for all its metrics in one go: the first of them makes us look at the registries. */
  #read(samples: () => Array<Sample>): Promise<Array<Sample>> {
    if (!this.#asked) {
      this.#asked = true
      queueMicrotask(() => (this.#asked = false))
      const begun = performance.now()
      void this.#slices.run(() => {
        this.#begun = begun
        return this.registries.look(this.#slices)
      })
    }
    return this.#slices.run(samples)
  }
}
