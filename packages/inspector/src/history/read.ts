/** Reading the rings: columns for charts, with as many points as asked for and no value where there is none. */
import { type Block, coarseSlots, together } from "./Block.ts"
import {
  hitAt,
  joinedAt,
  kindSeries,
  missAt,
  processSeries,
  type SeriesInfo,
  type Shows,
  type Span,
  type Unit,
} from "./catalogue.ts"
import { heatAt, type Kind, reuseOf } from "./Kind.ts"
import type { Ring } from "./Ring.ts"
import { heatBounds, heatRows } from "./spread.ts"
import { slotMs } from "./Ticks.ts"

const coarseMs = slotMs * together
const usualPoints = 300
const mostPoints = 3600
/** Values in one answer. */
const mostCells = 250_000
/** Milliseconds. Who asks for the last quarter of an hour by a clock that is behind still gets seconds. */
const clockError = 60_000

/** A query that would make too large an answer. */
export class HistoryRefused extends Error {
  readonly _tag = "HistoryRefused"
  readonly reason: "TooMuch"
  constructor(cells: number) {
    super(
      `${cells} values are more than the ${mostCells} of one answer. Ask for fewer kinds, names or points.`,
    )
    this.name = "HistoryRefused"
    this.reason = "TooMuch"
  }
}

/** Which time, in epoch milliseconds, and how finely. */
interface TimeQuery {
  /** Default: a quarter of an hour before `to`. What is before the oldest that is kept is left out. */
  readonly from?: number | undefined
  /** Default and latest: the end of the newest reading. */
  readonly to?: number | undefined
  /** At least this many milliseconds to a point. Rounded up so that a point is whole readings. Default: what `points` asks for. */
  readonly step?: number | undefined
  /** At most this many points. Default 300, at most 3 600. */
  readonly points?: number | undefined
}
export interface SeriesQuery extends TimeQuery {
  /** Default: all. One that is not known has no columns. */
  readonly kinds?: ReadonlyArray<string> | undefined
  /** A name, or the part before its dot for all of the group. `process` is of the process. Default: all. */
  readonly names?: ReadonlyArray<string> | undefined
  /**
   * One column for all chosen kinds: means are added up, of maxima the highest is shown, and ratios are of all their uses.
   * Default: false.
   */
  readonly together?: boolean | undefined
}
export interface HeatmapQuery extends TimeQuery {
  readonly span: Span
  /** Added up. Default: all. */
  readonly kinds?: ReadonlyArray<string> | undefined
}

/** Point `n` is of the time from `start + n * stepMs`, in epoch milliseconds, for `stepMs`. */
interface Points {
  readonly start: number
  readonly stepMs: number
  readonly points: number
  /** What one reading stands for: 1 000 or 10 000 milliseconds. */
  readonly readingMs: number
  /** The share of each point's time of which there are readings. 0: a gap; nobody looked, or the process stood still. */
  readonly covered: ReadonlyArray<number>
}
export interface SeriesColumn {
  /** Undefined: of the process, or of all chosen kinds together. */
  readonly kind: string | undefined
  readonly name: string
  readonly unit: Unit
  /** What a value says of the readings in its point. */
  readonly shows: Shows
  /** Null: not read in that time; or, for percentiles and ratios, nothing happened. */
  readonly values: ReadonlyArray<number | null>
  /**
   * Of a mean: its highest value in one second of each point. Left out where a point is one second, and for kinds together
   * where points are made of ten seconds: the peaks of two kinds need not have been at the same time.
   */
  readonly peaks?: ReadonlyArray<number | null> | undefined
}
export interface SeriesAnswer extends Points {
  readonly columns: ReadonlyArray<SeriesColumn>
}
export interface HeatmapAnswer extends Points {
  /** Milliseconds: the upper end of each row. One more row is for what took longer. */
  readonly boundsMs: ReadonlyArray<number>
  /** For each point the tasks that ended in it, by row. Null: not read. */
  readonly counts: ReadonlyArray<ReadonlyArray<number> | null>
}

/** A point is of the slots from `first + point * slots` on, `slots` of them, in the fine rings or in the coarse ones. */
interface Grid {
  readonly fine: boolean
  readonly first: number
  readonly slots: number
  readonly points: number
}

const whole = (value: number | undefined, usual: number, least: number, most: number): number =>
  value === undefined || Number.isNaN(value) ? usual : Math.min(most, Math.max(least, Math.round(value)))

/** `last`: the newest fine slot; -1: none. */
const gridOf = (last: number, fineSlots: number, query: TimeQuery): Grid => {
  const end = (last + 1) * slotMs
  const begin = Math.max(0, (last + 1 - coarseSlots * together) * slotMs)
  const to = whole(query.to, end, begin, end)
  const from = whole(query.from, Math.max(begin, to - fineSlots * slotMs), begin, to)
  const atMost = whole(query.points, usualPoints, 1, mostPoints)
  const wanted = Math.max(whole(query.step, 1, 1, coarseSlots * coarseMs), Math.ceil((to - from) / atMost))
  const fine = wanted < coarseMs && from >= end - fineSlots * slotMs - clockError
  const slot = fine ? slotMs : coarseMs
  let slots = Math.ceil(wanted / slot)
  for (;;) {
    const step = slots * slot
    const start = Math.floor(from / step) * step
    const points = Math.ceil((to - start) / step)
    // Beginning at a multiple of the step may take one point more than there are to be.
    if (points <= Math.max(1, atMost)) return { fine, first: start / slot, slots, points }
    slots++
  }
}

const pointsOf = (process: Block, grid: Grid): Points => {
  const ring = ringOf(process, grid)
  const readingMs = grid.fine ? slotMs : coarseMs
  const covered = eachPoint(grid, (from, to) => {
    let share = 0
    for (let slot = from; slot < to; slot++) {
      const seconds = ring.covered(slot)
      if (seconds > 0) share += grid.fine ? 1 : Math.min(1, (seconds * slotMs) / coarseMs)
    }
    return short(share / grid.slots) ?? 0
  })
  return {
    start: grid.first * readingMs,
    stepMs: grid.slots * readingMs,
    points: grid.points,
    readingMs,
    covered,
  }
}
const ringOf = (block: Block, grid: Grid): Ring => (grid.fine ? block.fine : block.coarse)

const eachPoint = <A>(grid: Grid, make: (from: number, to: number) => A): Array<A> =>
  Array.from({ length: grid.points }, (_, point) => {
    const from = grid.first + point * grid.slots
    return make(from, from + grid.slots)
  })
/** Three digits after the point are enough for a chart, and short on the wire. */
const short = (value: number): number | null =>
  Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null

export const readSeries = (
  process: Block,
  kinds: ReadonlyMap<string, Kind>,
  query: SeriesQuery,
): SeriesAnswer => {
  const grid = gridOf(process.last, process.fine.slots, query)
  const ofProcess = chosen(processSeries, query.names)
  const ofKinds = chosen(kindSeries, query.names)
  const blocks = chosenKinds(kinds, query.kinds)
  const groups: ReadonlyArray<readonly [string | undefined, ReadonlyArray<Block>]> =
    query.together === true
      ? [[undefined, blocks.map((kind) => kind.block)]]
      : blocks.map((kind) => [kind.name, [kind.block]])
  // What it costs to make is bounded too, not only what comes out.
  refuseBeyond((ofProcess.length + ofKinds.length * blocks.length) * grid.points)
  return {
    ...pointsOf(process, grid),
    columns: [
      ...ofProcess.map((column) => columnOf(grid, processSeries, column, undefined, [process])),
      ...groups.flatMap(([kind, members]) =>
        ofKinds.map((column) => columnOf(grid, kindSeries, column, kind, members)),
      ),
    ],
  }
}

export const readHeatmap = (
  process: Block,
  kinds: ReadonlyMap<string, Kind>,
  query: HeatmapQuery,
): HeatmapAnswer => {
  const grid = gridOf(process.last, process.fine.slots, query)
  const rings = chosenKinds(kinds, query.kinds).map((kind) => ringOf(kind.block, grid))
  refuseBeyond(grid.points * heatRows * Math.max(1, rings.length))
  const first = heatAt(query.span)
  const counts = eachPoint(grid, (from, to) => {
    const rows = Array.from({ length: heatRows }, () => 0)
    let read = false
    for (const ring of rings)
      for (let slot = from; slot < to; slot++) {
        if (ring.covered(slot) === 0) continue
        read = true
        for (let row = 0; row < heatRows; row++)
          rows[row] = (rows[row] ?? 0) + orZero(ring.read(first + row, slot))
      }
    return read ? rows : null
  })
  return { ...pointsOf(process, grid), boundsMs: heatBounds, counts }
}

const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value)
const refuseBeyond = (cells: number): void => {
  if (cells > mostCells) throw new HistoryRefused(cells)
}
/** Places of those that are asked for. */
const chosen = (
  series: ReadonlyArray<SeriesInfo>,
  names: ReadonlyArray<string> | undefined,
): Array<number> => {
  const wanted = names === undefined ? undefined : new Set(names)
  return series.flatMap(({ name }, at) =>
    wanted === undefined || wanted.has(name) || wanted.has(name.split(".")[0] ?? name) ? [at] : [],
  )
}
const chosenKinds = (
  kinds: ReadonlyMap<string, Kind>,
  names: ReadonlyArray<string> | undefined,
): ReadonlyArray<Kind> => {
  const all = [...kinds.values()].filter((kind) => kind.block.last !== -1)
  if (names === undefined) return all
  const wanted = new Set(names)
  return all.filter((kind) => wanted.has(kind.name))
}

const columnOf = (
  grid: Grid,
  series: ReadonlyArray<SeriesInfo>,
  column: number,
  kind: string | undefined,
  blocks: ReadonlyArray<Block>,
): SeriesColumn => {
  const { name, shows, unit } = series[column] ?? { name: "", shows: "mean", unit: "perSecond" }
  const rings = blocks.map((block) => ringOf(block, grid))
  const head = { kind, name, unit, shows }
  if (shows === "max")
    return { ...head, values: eachPoint(grid, (from, to) => short(highest(rings, column, from, to))) }
  if (shows === "ratio")
    return { ...head, values: eachPoint(grid, (from, to) => short(reuse(rings, from, to))) }
  const values = eachPoint(grid, (from, to) => short(mean(rings, column, from, to)))
  if (grid.fine && grid.slots === 1) return { ...head, values }
  if (grid.fine)
    return { ...head, values, peaks: eachPoint(grid, (from, to) => short(peak(rings, column, from, to))) }
  if (blocks.length > 1) return { ...head, values }
  const peaks = blocks.map((block) => block.peaks)
  return { ...head, values, peaks: eachPoint(grid, (from, to) => short(highest(peaks, column, from, to))) }
}

/** Of all rings together, over the slots that any of them was read in. NaN: none was. */
const mean = (rings: ReadonlyArray<Ring>, column: number, from: number, to: number): number => {
  let sum = 0
  let seconds = 0
  for (let slot = from; slot < to; slot++) {
    let covered = 0
    let here = 0
    for (const ring of rings) {
      const own = ring.covered(slot)
      if (own === 0) continue
      covered = Math.max(covered, own)
      here += ring.read(column, slot)
    }
    // No room for its page: there is no value.
    if (Number.isNaN(here)) continue
    sum += here * covered
    seconds += covered
  }
  return sum / seconds
}
/** The highest sum of all rings in one slot. */
const peak = (rings: ReadonlyArray<Ring>, column: number, from: number, to: number): number => {
  let most = Number.NaN
  for (let slot = from; slot < to; slot++) {
    let here = Number.NaN
    for (const ring of rings)
      if (ring.covered(slot) > 0) here = (Number.isNaN(here) ? 0 : here) + ring.read(column, slot)
    if (!(here <= most) && !Number.isNaN(here)) most = here
  }
  return most
}
/** The highest value of any ring. */
const highest = (rings: ReadonlyArray<Ring>, column: number, from: number, to: number): number => {
  let most = Number.NaN
  for (const ring of rings)
    for (let slot = from; slot < to; slot++) {
      if (ring.covered(slot) === 0) continue
      const value = ring.read(column, slot)
      if (!Number.isNaN(value) && !(value <= most)) most = value
    }
  return most
}
const reuse = (rings: ReadonlyArray<Ring>, from: number, to: number): number => {
  const [hit, joined, miss] = [hitAt, joinedAt, missAt].map((column) => mean(rings, column, from, to))
  return reuseOf(hit ?? 0, joined ?? 0, miss ?? 0)
}
