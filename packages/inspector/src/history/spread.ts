/** How durations spread: counts between bounds, fine enough for percentiles, and the coarser ones of a heatmap. */
import type { DurationStats } from "@sojourn/core/inspect"

/** Each is an end of a bucket of core's histograms, so that what is counted up to it is exact. */
const ofADecade = [1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8] as const
const decadesOf = (steps: ReadonlyArray<number>, from: number, to: number): Array<number> =>
  Array.from({ length: to - from }, (_, at) => from + at).flatMap((decade) =>
    steps.map((step) => (decade < 0 ? step / 10 ** -decade : step * 10 ** decade)),
  )

/** Milliseconds: from 10 µs to 16 minutes. What is longer is in a place of its own after them. */
export const bounds: ReadonlyArray<number> = [...decadesOf(ofADecade, -2, 6), 1e6]
/** Milliseconds: the upper ends of a heatmap's rows; one more row is for what is longer. */
export const heatBounds: ReadonlyArray<number> = [...decadesOf([1, 2.5, 5], -1, 5), 1e5]
export const places: number = bounds.length + 1
export const heatRows: number = heatBounds.length + 1

/** The row of each place. */
const rowOf = Uint8Array.from({ length: places }, (_, place) => {
  const end = bounds[place] ?? Infinity
  const row = heatBounds.findIndex((bound) => end <= bound)
  return row === -1 ? heatBounds.length : row
})

/** What is new in it since the last time it was asked, as counts between bounds. */
export class Spread {
  readonly #before: Float64Array = new Float64Array(places)
  #count = 0

  /** Adds what is new to `into`, and says how many that are. */
  take(stats: DurationStats, into: Float64Array): number {
    const { count } = stats
    const more = count - this.#count
    if (more === 0) return 0
    this.#count = count
    const upTo = stats.upTo(bounds)
    let below = 0
    for (let place = 0; place < places; place++) {
      const total = upTo[place] ?? count
      const here = total - below
      below = total
      into[place] = (into[place] ?? 0) + here - (this.#before[place] ?? 0)
      this.#before[place] = here
    }
    return more
  }
}

/** Milliseconds, the upper end of where it falls; of what is longer than all bounds, the last bound. NaN: there is nothing. */
export const quantileOf = (counts: Float64Array, share: number): number => {
  let all = 0
  for (let place = 0; place < places; place++) all += counts[place] ?? 0
  if (all === 0) return Number.NaN
  const rank = Math.max(1, Math.ceil(share * all))
  let seen = 0
  for (let place = 0; place < places; place++) {
    seen += counts[place] ?? 0
    if (seen >= rank) return bounds[place] ?? 1e6
  }
  return 1e6
}

/** Of a heatmap's rows, in the order of `heatBounds`. */
export const addRows = (counts: Float64Array, rows: Float64Array, from: number): void => {
  for (let place = 0; place < places; place++) {
    const count = counts[place] ?? 0
    if (count === 0) continue
    const row = from + (rowOf[place] ?? 0)
    rows[row] = (rows[row] ?? 0) + count
  }
}
