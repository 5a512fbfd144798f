/**
 * One metric as a register of prom-client sees it: an object that is asked when it is scraped. Nothing is told to
 * prom-client while sessions work.
 */
import type { Registry, RegistryContentType } from "prom-client"

export interface Sample {
  readonly labels: Record<string, string | number>
  readonly value: number
  readonly metricName?: string
}
export interface MetricSetup {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly help: string
  readonly aggregator: "sum" | "min" | "max"
  readonly samples: () => Array<Sample>
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
  get(): Record<"name" | "type" | "help" | "aggregator", string> & { readonly values: Array<Sample> } {
    const { aggregator, help, type } = this
    const openMetrics = this.#register.contentType.startsWith("application/openmetrics-text")
    // There the family of a counter has no `_total`; prom-client appends it to each sample.
    const name = openMetrics && type === "counter" ? this.name.replace(/_total$/, "") : this.name
    return { name, help, type, aggregator, values: this.#samples() }
  }
  /** `register.resetMetrics()`: the numbers are the registries'. */
  reset(): void {}
}
