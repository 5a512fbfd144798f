/** What history keeps of one kind: its registries (mostly one) added up, and then their series. */
import { Block, type Columns } from "./Block.ts"
import {
  firstPercentile,
  firstRate,
  hitAt,
  joinedAt,
  kindSeries,
  missAt,
  quantiles,
  reuseAt,
  type Span,
  spans,
} from "./catalogue.ts"
import type { Pages } from "./Pages.ts"
import type { Source } from "./Source.ts"
import { addRows, heatRows, places, quantileOf } from "./spread.ts"

type Ended = { readonly [S in Span]: Float64Array }
const nothing = (): Ended => ({ waits: new Float64Array(places), runs: new Float64Array(places) })

/** The column of a heatmap's first row. */
export const heatAt = (span: Span): number => kindSeries.length + spans.indexOf(span) * heatRows
const size = kindSeries.length + spans.length * heatRows

// Of one tick, for one kind after the other.
const values = new Float64Array(size)
const ended = nothing()

export class Kind {
  readonly name: string
  readonly sources: Set<Source> = new Set()
  readonly block: Block
  /** The first fine slot it was read in. */
  firstSlot = -1
  /** Of the coarse slot that is being summed up. */
  readonly #ended = nothing()

  constructor(name: string, pages: Pages) {
    this.name = name
    const columns: Columns = {
      series: kindSeries,
      counts: spans.length * heatRows,
      sumUp: (into) => {
        derive(into, this.#ended)
        for (const span of spans) this.#ended[span].fill(0)
      },
    }
    this.block = new Block(pages, columns)
  }
  get bytes(): number {
    return this.block.bytes + spans.length * places * 8
  }
  /** Reads its registries and writes down what they say. What is returned is good until the next reading of any kind. */
  read(slot: number, seconds: number): Float64Array {
    values.fill(0)
    for (const span of spans) ended[span].fill(0)
    for (const source of this.sources) {
      source.read(values, ended)
      if (source.over) this.sources.delete(source)
    }
    for (let at = firstRate; at < reuseAt; at++) values[at] = (values[at] ?? 0) / seconds
    derive(values, ended)
    for (const span of spans) {
      const sums = this.#ended[span]
      const news = ended[span]
      for (let place = 0; place < places; place++) sums[place] = (sums[place] ?? 0) + (news[place] ?? 0)
      addRows(news, values, heatAt(span))
    }
    if (this.firstSlot === -1) this.firstSlot = slot
    this.block.write(slot, seconds, values)
    return values
  }
  /** Looks without writing down: what was counted before is not new. */
  baseline(source: Source): void {
    source.read(values, ended)
  }
}

/** What follows from rates, and from what ended. */
const derive = (into: Float64Array, from: Ended): void => {
  into[reuseAt] = reuseOf(into[hitAt] ?? 0, into[joinedAt] ?? 0, into[missAt] ?? 0)
  let at = firstPercentile
  for (const span of spans) for (const share of quantiles) into[at++] = quantileOf(from[span], share)
}

/** NaN: there was no use. */
export const reuseOf = (hit: number, joined: number, miss: number): number =>
  (hit + joined) / (hit + joined + miss)
