/**
 * How the process does: its event loop, its heap, what it has open. Read through the runtime's own modules where there are
 * any; where not, nothing is known.
 */
import { heapShare } from "../heap.ts"

/** Of the time since the last reading. Undefined: it cannot be seen here. */
export interface ProcessReading {
  /** The longest stall of the event loop, and its median delay; milliseconds. */
  readonly stall: number | undefined
  readonly median: number | undefined
  /** How busy the loop was, 0 to 1. */
  readonly utilization: number | undefined
  /** Of the heap's limit, 0 to 1, garbage included. */
  readonly heapUsed: number | undefined
  /** Sockets, timers, files and the like that are open now. */
  readonly resources: number | undefined
}
export interface ProcessSource extends Disposable {
  readonly read: () => ProcessReading
}

/** Milliseconds between two looks of Node's own: what a loop that is never late shows as its delay. */
const resolution = 20
/** Listing what is open takes as long as there is much of it: at most this share of the time. */
const shareForResources = 1 / 1000
const resourcesEvery = 10_000

const node = typeof process === "object" && typeof process.getBuiltinModule === "function"
const hooks = node ? process.getBuiltinModule("node:perf_hooks") : undefined

/** Begins to measure; what came before is not in the first reading. */
export const processReadings = (): ProcessSource => {
  const delay = hooks?.monitorEventLoopDelay({ resolution })
  delay?.enable()
  const resources = resourceCount()
  let before = hooks?.performance.eventLoopUtilization()
  return {
    read: () => {
      const now = hooks?.performance.eventLoopUtilization()
      const busy = now && hooks?.performance.eventLoopUtilization(now, before).utilization
      before = now
      const reading: ProcessReading = {
        stall: delay && Math.max(0, delay.max / 1e6 - resolution),
        median: delay && Math.max(0, delay.percentile(50) / 1e6 - resolution),
        utilization: busy === undefined ? undefined : Math.min(1, Math.max(0, busy)),
        heapUsed: node ? heapShare() : undefined,
        resources: resources(),
      }
      delay?.reset()
      return reading
    },
    [Symbol.dispose]: () => void delay?.disable(),
  }
}

const resourceCount = (): (() => number | undefined) => {
  if (!node || typeof process.getActiveResourcesInfo !== "function") return () => undefined
  let count: number | undefined
  let nextAt = -Infinity
  return () => {
    const begun = performance.now()
    if (begun < nextAt) return count
    count = process.getActiveResourcesInfo().length
    const took = performance.now() - begun
    nextAt = begun + Math.max(resourcesEvery, took / shareForResources)
    return count
  }
}
