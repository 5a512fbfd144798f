/** How late the event loop is, and how busy: looked at once a second, so that no two scrapes can disturb each other. */
import { monitorEventLoopDelay, performance } from "node:perf_hooks"

const every = 1000
/** Milliseconds between two looks of Node's own; what a loop that is never late shows. */
const resolution = 20

export interface LoopReading {
  /** 0 to 1. */
  readonly utilization: number
  readonly upTo: ReadonlyArray<number>
  readonly count: number
  /** Seconds. */
  readonly sum: number
}

export class LoopWatch implements Disposable {
  readonly #buckets: ReadonlyArray<number>
  readonly #upTo: Array<number>
  readonly #delay: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({ resolution })
  readonly #timer: NodeJS.Timeout
  #before = performance.eventLoopUtilization()
  #utilization = 0
  #count = 0
  #sum = 0

  /** Seconds, ascending. */
  constructor(buckets: ReadonlyArray<number>) {
    this.#buckets = buckets
    this.#upTo = buckets.map(() => 0)
    this.#delay.enable()
    this.#timer = setInterval(() => this.#look(), every).unref()
  }
  reading(): LoopReading {
    return { utilization: this.#utilization, upTo: [...this.#upTo], count: this.#count, sum: this.#sum }
  }
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }

  #look(): void {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#before)
    this.#utilization = Math.min(1, Math.max(0, utilization))
    this.#before = now
    const stall = Math.max(0, this.#delay.max / 1e9 - resolution / 1000)
    this.#delay.reset()
    this.#count++
    this.#sum += stall
    for (const [index, bound] of this.#buckets.entries())
      if (stall <= bound) this.#upTo[index] = (this.#upTo[index] ?? 0) + 1
  }
}
