/**
 * One metric as a register of prom-client sees it: an object that is asked when it is scraped. Nothing is told to
 * prom-client while sessions work.
 */
import type { Registry, RegistryContentType } from "prom-client"
import type { Sample } from "./samplesOf.ts"

export interface MetricSetup {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly help: string
  readonly aggregator: "sum" | "min" | "max"
  /** `shared`: for printing. */
  readonly samples: (shared: boolean) => Promise<Array<Sample>>
}
interface Shown extends Record<"name" | "type" | "help" | "aggregator", string> {
  readonly values: Array<Sample>
}

export class ShownMetric {
  readonly type: MetricSetup["type"]
  readonly help: string
  readonly aggregator: MetricSetup["aggregator"]
  readonly #fullName: string
  readonly #register: Registry<RegistryContentType>
  readonly #samples: MetricSetup["samples"]
  constructor(register: Registry<RegistryContentType>, setup: MetricSetup) {
    this.type = setup.type
    this.help = setup.help
    this.aggregator = setup.aggregator
    this.#fullName = setup.name
    this.#register = register
    this.#samples = setup.samples
  }
  /** prom-client cuts `_total` off for OpenMetrics, and for good; going back to plain text would then lose it. */
  get name(): string {
    return this.#fullName
  }
  set name(_cut: string) {}
  /** For JSON, which is also what one process of a cluster sends to another: it is printed there, as that one prints. */
  async get(): Promise<Shown> {
    return this.#shown(this.name, await this.#samples(false))
  }
  /** For this register's own text. */
  async getForPromString(): Promise<Shown> {
    const openMetrics = this.#register.contentType.startsWith("application/openmetrics-text")
    // There the family of a counter has no `_total`; prom-client appends it to each sample.
    const name = openMetrics && this.type === "counter" ? this.name.replace(/_total$/, "") : this.name
    return this.#shown(name, await this.#samples(true))
  }
  /** `register.resetMetrics()`: the numbers are the registries'. */
  reset(): void {}

  #shown(name: string, values: Array<Sample>): Shown {
    const { aggregator, help, type } = this
    return { name, help, type, aggregator, values }
  }
}
