/** What charts show, and what is said of it in words. Pure. */
import { formatClock, formatIn, type Unit } from "../text/format.ts"

export type Value = number | null

export interface Series {
  readonly id: string
  readonly label: string
  /** One for each time; null where nothing is known, which is shown as a gap and never as 0. */
  readonly values: ReadonlyArray<Value>
}

export interface TimeData {
  /** Epoch milliseconds, rising. */
  readonly times: ReadonlyArray<number>
  readonly series: ReadonlyArray<Series>
}

/** Of the known ones; undefined where there is none. */
export const extent = (values: Iterable<Value>): readonly [number, number] | undefined => {
  let least = Infinity
  let most = -Infinity
  for (const value of values)
    if (value !== null && Number.isFinite(value)) {
      if (value < least) least = value
      if (value > most) most = value
    }
  return least > most ? undefined : [least, most]
}

const runsOfNull = (values: ReadonlyArray<Value>): number => {
  let runs = 0
  for (const [index, value] of values.entries())
    if (value === null && values[index - 1] !== null && index > 0) runs += 1
  return runs
}

/** "running: now 12, 3 to 20, 2 gaps" */
export const summaryOf = ({ label, values }: Series, unit: Unit): string => {
  const range = extent(values)
  if (range === undefined) return `${label}: nothing known`
  const last = values.at(-1) ?? null
  const gaps = runsOfNull(values)
  const now = last === null ? "now unknown" : `now ${formatIn(unit, last)}`
  const spread =
    range[0] === range[1] ? "steady" : `${formatIn(unit, range[0])} to ${formatIn(unit, range[1])}`
  return `${label}: ${now}, ${spread}${gaps === 0 ? "" : `, ${gaps} ${gaps === 1 ? "gap" : "gaps"}`}`
}

export const summaryOfAll = ({ times, series }: TimeData, unit: Unit): string => {
  const [from, to] = [times[0], times.at(-1)]
  if (from === undefined || to === undefined) return "Nothing yet."
  return `${formatClock(from)} to ${formatClock(to)}. ${series.map((each) => summaryOf(each, unit)).join("; ")}.`
}

/**
 * Each series on top of those before it. Where no part is known nothing is; where one part is unknown it counts as nothing,
 * and its own line stops there.
 */
export const stacked = (series: ReadonlyArray<Series>): ReadonlyArray<ReadonlyArray<Value>> => {
  const length = series[0]?.values.length ?? 0
  const sums = new Float64Array(length)
  return series.map(({ values }) =>
    Array.from({ length }, (_, index) => {
      const value = values[index] ?? null
      if (value === null) return null
      sums[index] = (sums[index] ?? 0) + value
      return sums[index] ?? null
    }),
  )
}

/** The index of the time nearest to one; the times rise. -1: there is none. */
export const nearest = (times: ReadonlyArray<number>, at: number): number => {
  if (times.length === 0) return -1
  let low = 0
  let high = times.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  const before = low - 1
  if (before < 0) return low
  return at - (times[before] ?? 0) <= (times[low] ?? 0) - at ? before : low
}

/** Counts by bucket. `bounds`: the upper end of each but the last, which has none. */
export interface Buckets {
  readonly bounds: ReadonlyArray<number>
  readonly counts: ReadonlyArray<number>
}

/** "up to 5 ms", "5 ms to 10 ms", "over 10 ms" */
export const bucketName = (bounds: ReadonlyArray<number>, index: number, unit: Unit): string => {
  const from = bounds[index - 1]
  const to = bounds[index]
  if (from === undefined) return to === undefined ? "all" : `up to ${formatIn(unit, to)}`
  return to === undefined
    ? `over ${formatIn(unit, from)}`
    : `${formatIn(unit, from)} to ${formatIn(unit, to)}`
}

/** The bucket in which a part of all lies, 0 to 1; undefined where there is nothing. */
export const quantileBucket = (counts: ReadonlyArray<number>, part: number): number | undefined => {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return undefined
  let seen = 0
  for (const [index, count] of counts.entries()) {
    seen += count
    if (seen >= all * part && count > 0) return index
  }
  return counts.length - 1
}

export const summaryOfBuckets = ({ bounds, counts }: Buckets, unit: Unit): string => {
  const all = counts.reduce((sum, count) => sum + count, 0)
  const half = quantileBucket(counts, 0.5)
  const most = quantileBucket(counts, 0.95)
  if (half === undefined || most === undefined) return "None yet."
  return `${formatIn("count", all)} in all; half ${within(bounds, half, unit)}, 95 of 100 ${within(bounds, most, unit)}.`
}
const within = (bounds: ReadonlyArray<number>, index: number, unit: Unit): string => {
  const to = bounds[index]
  if (to !== undefined) return `up to ${formatIn(unit, to)}`
  return bucketName(bounds, index, unit)
}
