/**
 * How the process does: what its event loop was late by, how busy it was, and its memory. Each instance has a monitor of
 * Node's own, which it alone resets, so that two readers do not disturb each other.
 */
import { monitorEventLoopDelay, performance } from "node:perf_hooks"

/** Milliseconds between two looks of Node's own; what a loop that is never late shows. */
const resolution = 20
const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution)

/** Since the reading before; since it was made, for the first. */
export interface ProcessReading {
  /** Milliseconds that the loop was late by: the worst, and what one look in a hundred was worse than. */
  readonly loopDelayMaxMs: number
  readonly loopDelayP99Ms: number
  /** 0 to 1. */
  readonly utilization: number
  readonly heapUsedBytes: number
  readonly rssBytes: number
}

/** Reads the process. It costs about 0.2 % of a core until it is disposed, and never keeps a process alive. */
export class ProcessReader implements Disposable {
  readonly #delay: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({ resolution })
  #before = performance.eventLoopUtilization()

  constructor() {
    this.#delay.enable()
  }
  read(): ProcessReading {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#before)
    this.#before = now
    const { heapUsed, rss } = process.memoryUsage()
    const reading = {
      loopDelayMaxMs: late(this.#delay.max),
      loopDelayP99Ms: late(this.#delay.percentile(99)),
      utilization: Math.min(1, Math.max(0, utilization)),
      heapUsedBytes: heapUsed,
      rssBytes: rss,
    }
    this.#delay.reset()
    return reading
  }
  [Symbol.dispose](): void {
    this.#delay.disable()
  }
}

/** In the order of `processSeries`. */
export const valuesOf = (reading: ProcessReading, into: Float64Array): void => {
  into[0] = reading.loopDelayMaxMs
  into[1] = reading.loopDelayP99Ms
  into[2] = reading.utilization
  into[3] = reading.heapUsedBytes
  into[4] = reading.rssBytes
}
