/**
 * The series of one kind, or of the process: each second for a quarter of an hour, each ten seconds for six hours. Ten
 * seconds are summed up from what their readings were made of, not from what they show: their percentiles are those of all
 * tasks that ended in them.
 */
import type { SeriesInfo } from "./catalogue.ts"
import type { Pages } from "./Pages.ts"
import { Ring } from "./Ring.ts"

const fineSlots = 900
export const coarseSlots = 2160
/** Fine slots in a coarse one. */
export const together = 10

/** What is read of a block in one tick, and what it is summed up to. */
export interface Columns {
  readonly series: ReadonlyArray<SeriesInfo>
  /** Columns after the series that are counts: those of heatmaps. */
  readonly counts: number
  /** Puts what does not follow from the sums of the readings in its place: percentiles, ratios. Then begins anew. */
  readonly sumUp: (into: Float64Array) => void
}

export class Block {
  readonly fine: Ring
  readonly coarse: Ring
  /** The highest reading of each series that shows a mean, in each coarse slot. */
  readonly peaks: Ring
  readonly #columns: Columns
  readonly #means: ReadonlyArray<number>
  readonly #maxima: ReadonlyArray<number>
  readonly #sums: Float64Array
  readonly #highest: Float64Array
  #seconds = 0
  /** The coarse slot that is being summed up. */
  #open = -1

  constructor(pages: Pages, columns: Columns) {
    const { counts, series } = columns
    const size = series.length + counts
    const usuals = Array.from({ length: size }, (_, at) => usualOf(series[at]))
    this.#columns = columns
    this.#means = indexes(series, "mean")
    this.#maxima = indexes(series, "max")
    this.#sums = new Float64Array(size)
    this.#highest = new Float64Array(series.length).fill(-Infinity)
    this.fine = new Ring(pages, fineSlots, usuals)
    this.coarse = new Ring(pages, coarseSlots, usuals)
    this.peaks = new Ring(
      pages,
      coarseSlots,
      series.map((one) => usualOf(one)),
    )
  }
  get bytes(): number {
    const own = this.#sums.byteLength + this.#highest.byteLength
    return own + this.fine.bytes + this.coarse.bytes + this.peaks.bytes
  }
  /** The newest fine slot; -1: none. */
  get last(): number {
    return this.fine.last
  }
  /** A reading: of each series and count its value. `seconds`: what it covers. Slots go up. */
  write(slot: number, seconds: number, values: Float64Array): void {
    this.#pass(slot)
    this.#open = Math.floor(slot / together)
    this.fine.begin(slot, seconds)
    for (let column = 0; column < values.length; column++) this.fine.write(column, values[column] ?? 0)
    this.#seconds += seconds
    for (const column of this.#means) {
      const value = values[column] ?? 0
      this.#sums[column] = (this.#sums[column] ?? 0) + value * seconds
      if (value > (this.#highest[column] ?? 0)) this.#highest[column] = value
    }
    for (const column of this.#maxima) {
      const value = values[column] ?? 0
      if (value > (this.#highest[column] ?? 0)) this.#highest[column] = value
    }
    for (let column = this.#columns.series.length; column < values.length; column++)
      this.#sums[column] = (this.#sums[column] ?? 0) + (values[column] ?? 0)
    this.#end(slot)
  }
  /** It is this slot's time, and nothing is read: ten seconds are over all the same. */
  skip(slot: number): void {
    this.#pass(slot)
    this.#end(slot)
  }
  #pass(slot: number): void {
    if (this.#open !== Math.floor(slot / together)) this.#close()
  }
  #end(slot: number): void {
    if (slot % together === together - 1) this.#close()
  }
  /** Time was set back to this fine slot. What its coarse slot was made of is gone with it. */
  cut(slot: number): void {
    const coarse = Math.floor(slot / together)
    this.fine.cut(slot)
    this.coarse.cut(coarse)
    this.peaks.cut(coarse)
    this.#columns.sumUp(this.#sums)
    this.#anew()
  }
  release(): void {
    for (const ring of [this.fine, this.coarse, this.peaks]) ring.release()
  }

  /** Writes down the coarse slot that is over. */
  #close(): void {
    if (this.#open === -1) return
    const seconds = this.#seconds
    this.coarse.begin(this.#open, seconds)
    this.peaks.begin(this.#open, seconds)
    for (const column of this.#means) {
      this.#sums[column] = (this.#sums[column] ?? 0) / seconds
      this.peaks.write(column, this.#highest[column] ?? 0)
    }
    for (const column of this.#maxima) {
      const highest = this.#highest[column] ?? -Infinity
      this.#sums[column] = highest === -Infinity ? Number.NaN : highest
    }
    this.#columns.sumUp(this.#sums)
    for (let column = 0; column < this.#sums.length; column++)
      this.coarse.write(column, this.#sums[column] ?? 0)
    this.#anew()
  }
  #anew(): void {
    this.#open = -1
    this.#seconds = 0
    this.#sums.fill(0)
    this.#highest.fill(-Infinity)
  }
}

const indexes = (series: ReadonlyArray<SeriesInfo>, shows: SeriesInfo["shows"]): Array<number> =>
  series.flatMap((one, index) => (one.shows === shows ? [index] : []))
/** Counts and rates are mostly 0; of tasks that did not end there is no percentile. */
const usualOf = (series: SeriesInfo | undefined): number =>
  series === undefined || series.shows === "mean" ? 0 : Number.NaN
