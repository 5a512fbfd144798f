/** The series that history keeps: their names, units, and what one value says about the time it stands for. */
import { closeReasons, sessionRefusedReasons } from "@sojourn/core/inspect"
import { liveSessionStates, taskOutcomes } from "../protocol/words.ts"

/**
 * What a value is when it stands for more than one reading. `mean`: of the readings, each weighed by the time it covers;
 * the highest of them is its peak. `max`: the highest of the readings. `sum`: of all. `ratio`: of the sums of what it is a
 * ratio of.
 */
export type Shows = "mean" | "max" | "sum" | "ratio"
export type Unit = "sessions" | "tasks" | "leases" | "perSecond" | "ms" | "ratio" | "bytes"

export interface SeriesInfo {
  readonly name: string
  readonly unit: Unit
  readonly shows: Shows
}

export const openingOutcomes = ["succeeded", "failed", "timedOut", "cancelled"] as const
export const acquisitions = ["hit", "joined", "miss"] as const
export const quantiles = [0.5, 0.95, 0.99] as const
/** `waits`: from hand-in to start. `runs`: from start to the real end. */
export const spans = ["waits", "runs"] as const
export type Span = (typeof spans)[number]

const mean = (unit: Unit, names: ReadonlyArray<string>): Array<SeriesInfo> =>
  names.map((name) => ({ name, unit, shows: "mean" }))
const within = (group: string, names: ReadonlyArray<string>): Array<string> =>
  names.map((name) => `${group}.${name}`)

/** Read as they are. */
const gauges: ReadonlyArray<SeriesInfo> = [
  ...mean("sessions", within("sessions", [...liveSessionStates, "idle", "leaked"])),
  ...mean("tasks", ["tasks.queued", "tasks.running"]),
  ...mean("leases", ["leases"]),
]
/** Counted, and shown per second of the time since the reading before. */
export const rates: ReadonlyArray<SeriesInfo> = mean("perSecond", [
  ...within("opens", openingOutcomes),
  ...within("closes", closeReasons),
  "started",
  ...within("ended", taskOutcomes),
  ...within("refused", sessionRefusedReasons),
  ...within("acquired", acquisitions),
  "lost",
  "abandoned",
])
/** Uses that found their session, or one on its way, of all uses. Null where there was none. */
const reuse: SeriesInfo = { name: "reuse", unit: "ratio", shows: "ratio" }
/** Of the tasks that ended in the reading: too large by at most a quarter, never too small. Null where none ended. */
const percentiles: ReadonlyArray<SeriesInfo> = spans.flatMap((span) =>
  quantiles.map((share): SeriesInfo => ({ name: `${span}.p${share * 100}`, unit: "ms", shows: "max" })),
)

/** Of each kind, in the order in which a `Block` has its columns. */
export const kindSeries: ReadonlyArray<SeriesInfo> = [...gauges, ...rates, reuse, ...percentiles]
/** Of the process, likewise. */
export const processSeries: ReadonlyArray<SeriesInfo> = [
  // What the loop was late by, without what Node's own timer takes.
  { name: "process.loopDelayMax", unit: "ms", shows: "max" },
  { name: "process.loopDelayP99", unit: "ms", shows: "max" },
  { name: "process.utilization", unit: "ratio", shows: "mean" },
  { name: "process.heapUsed", unit: "bytes", shows: "mean" },
  { name: "process.rss", unit: "bytes", shows: "mean" },
]

export const firstRate: number = gauges.length
export const reuseAt: number = firstRate + rates.length
export const firstPercentile: number = reuseAt + 1
const place = (name: string): number => kindSeries.findIndex((series) => series.name === name)
export const hitAt: number = place("acquired.hit")
export const joinedAt: number = place("acquired.joined")
export const missAt: number = place("acquired.miss")
