/**
 * What has been going on, kept while somebody wants to know: one look a second at the counters of each registry and at the
 * process. It visits no session and no task, so its cost does not depend on how many there are.
 */
import type { AnySessions } from "@sojourn/core"
import { inspectionOf, watchRegistries } from "@sojourn/core/inspect"
import { Block, coarseSlots, together } from "./Block.ts"
import { kindSeries, processSeries } from "./catalogue.ts"
import { Kind } from "./Kind.ts"
import { Pages } from "./Pages.ts"
import { ProcessReader, valuesOf } from "./Process.ts"
import {
  type HeatmapAnswer,
  type HeatmapQuery,
  readHeatmap,
  readSeries,
  type SeriesAnswer,
  type SeriesQuery,
} from "./read.ts"
import { Source } from "./Source.ts"
import { type HistoryClock, realClock, slotBefore, slotMs, untilNext } from "./Ticks.ts"

/** The name under which kinds are added up for which there is no room. */
const otherKinds = "other"
/** Slots. A clock that goes back by no more is waited for. */
const setBackByLittle = 2

export interface HistoryOptions {
  /** Those to look at. Default: every registry of the process, also those that come later. */
  readonly sessions?: ReadonlyArray<AnySessions> | undefined
  /** Kinds with series of their own; the others are added up as `other`. Default 200, at least 1. */
  readonly maxKinds?: number | undefined
  /** Of the values kept. Beyond it values are missing, and counted as such. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  readonly clock?: HistoryClock | undefined
}

/** Times are epoch milliseconds. */
export interface KindHistory {
  readonly kind: string
  /** Its first reading begins here; it may be older than what is kept. */
  readonly from: number
  /** Its last reading ended here. */
  readonly to: number
  /** A registry of this name is looked at. */
  readonly live: boolean
}

/** One look. Only what is not 0 and has a value is listed. */
export interface HistoryReading {
  /** Epoch milliseconds of the begin of its second, and the seconds since the look before. */
  readonly at: number
  readonly seconds: number
  readonly process: Readonly<Record<string, number>>
  readonly kinds: ReadonlyArray<{ readonly kind: string; readonly values: Readonly<Record<string, number>> }>
}

/** Milliseconds that looks took, and what is kept. */
export interface HistoryCost {
  readonly lastMs: number
  readonly maxMs: number
  readonly bytes: number
  /** Looks so far; slots that went by without one while it ran; registries that could not be read. */
  readonly readings: number
  readonly missed: number
  readonly failed: number
  /** Pages of values for which `maxBytes` left no room. */
  readonly refused: number
}

export class History {
  readonly #clock: HistoryClock
  readonly #sessions: ReadonlyArray<AnySessions> | undefined
  readonly #maxKinds: number
  readonly #pages: Pages
  readonly #kinds = new Map<string, Kind>()
  readonly #process: Block
  readonly #processValues = new Float64Array(processSeries.length)
  readonly #watchers = new Set<(reading: HistoryReading) => void>()
  #holders = 0
  #reader: ProcessReader | undefined
  #stop: (() => void) | undefined
  #unwatch: (() => void) | undefined
  #readAt = 0
  #lastMs = 0
  #maxMs = 0
  #readings = 0
  #missed = 0
  #failed = 0

  constructor(options: HistoryOptions = {}) {
    this.#clock = options.clock ?? realClock
    this.#sessions = options.sessions
    this.#maxKinds = options.maxKinds ?? 200
    this.#pages = new Pages(options.maxBytes ?? 64 * 1024 * 1024)
    this.#process = new Block(this.#pages, { series: processSeries, counts: 0, sumUp: () => {} })
  }

  /**
   * It looks until what this returns is disposed. With nobody left it lets go of all registries and keeps what it has; the
   * time until somebody comes again is a gap.
   */
  hold(): Disposable {
    if (this.#holders++ === 0) this.#start()
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        if (--this.#holders === 0) this.#end()
      },
    }
  }
  /** Tells of each look, after it. What a listener throws goes nowhere. The result ends it; it holds nothing. */
  watch(listener: (reading: HistoryReading) => void): () => void {
    const own = (reading: HistoryReading): void => listener(reading)
    this.#watchers.add(own)
    return () => void this.#watchers.delete(own)
  }
  /** Those of which something is kept, the first seen first. */
  kinds(): ReadonlyArray<KindHistory> {
    return [...this.#kinds.values()]
      .filter((kind) => kind.block.last !== -1)
      .map((kind) => ({
        kind: kind.name,
        from: kind.firstSlot * slotMs,
        to: (kind.block.last + 1) * slotMs,
        live: kind.sources.size > 0,
      }))
  }
  /** Epoch milliseconds: the end of the newest look. Undefined: there was none. */
  get newest(): number | undefined {
    return this.#process.last === -1 ? undefined : (this.#process.last + 1) * slotMs
  }
  /** @throws HistoryRefused `TooMuch` */
  series(query: SeriesQuery = {}): SeriesAnswer {
    return readSeries(this.#process, this.#kinds, query)
  }
  /** @throws HistoryRefused `TooMuch` */
  heatmap(query: HeatmapQuery): HeatmapAnswer {
    return readHeatmap(this.#process, this.#kinds, query)
  }
  get cost(): HistoryCost {
    let bytes = this.#pages.bytes + this.#process.bytes
    for (const kind of this.#kinds.values()) bytes += kind.bytes
    return {
      lastMs: this.#lastMs,
      maxMs: this.#maxMs,
      bytes,
      readings: this.#readings,
      missed: this.#missed,
      failed: this.#failed,
      refused: this.#pages.refused,
    }
  }

  #start(): void {
    this.#reader = new ProcessReader()
    this.#readAt = this.#clock.monotonic()
    if (this.#sessions === undefined) this.#unwatch = watchRegistries((sessions) => this.#add(sessions))
    else for (const sessions of this.#sessions) this.#add(sessions)
    this.#schedule()
  }
  #end(): void {
    this.#stop?.()
    this.#unwatch?.()
    this.#reader?.[Symbol.dispose]()
    this.#stop = this.#unwatch = this.#reader = undefined
    for (const kind of this.#kinds.values()) kind.sources.clear()
  }
  #add(sessions: AnySessions): void {
    const inspection = inspectionOf(sessions)
    // A copy of core from before there was anything to read.
    if (inspection === undefined) return
    const source = new Source(inspection)
    const kind = this.#kindOf(inspection.name)
    try {
      kind.baseline(source)
      kind.sources.add(source)
    } catch {
      this.#failed++
    }
  }
  #kindOf(name: string): Kind {
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const shown = this.#kinds.size < this.#maxKinds ? name : otherKinds
    const kind = this.#kinds.get(shown) ?? new Kind(shown, this.#pages)
    this.#kinds.set(shown, kind)
    return kind
  }
  #schedule(): void {
    this.#stop = this.#clock.after(untilNext(this.#clock.epoch()), () => this.#tick())
  }
  #tick(): void {
    const began = performance.now()
    this.#schedule()
    const { last } = this.#process
    const slot = slotBefore(this.#clock.epoch())
    const now = this.#clock.monotonic()
    const seconds = (now - this.#readAt) / 1000
    if (seconds <= 0) return
    if (slot <= last) {
      if (last - slot <= setBackByLittle) return
      // What was kept of the time that comes once more is forgotten, or there would be two pasts.
      for (const block of this.#blocks()) block.cut(slot)
    } else if (this.#readings > 0 && seconds > 1.5) this.#missed += Math.max(0, slot - last - 1)
    this.#readAt = now
    this.#readings++
    if (this.#reader !== undefined) valuesOf(this.#reader.read(), this.#processValues)
    this.#process.write(slot, seconds, this.#processValues)
    const watched = this.#watchers.size > 0
    const kinds: Array<HistoryReading["kinds"][number]> = []
    for (const kind of this.#kinds.values()) {
      if (kind.sources.size === 0) {
        kind.block.skip(slot)
        if (slot - kind.block.last > coarseSlots * together) this.#forget(kind)
        continue
      }
      const values = this.#read(kind, slot, seconds)
      if (watched && values !== undefined) kinds.push({ kind: kind.name, values: listed(kindSeries, values) })
    }
    this.#lastMs = performance.now() - began
    if (this.#lastMs > this.#maxMs) this.#maxMs = this.#lastMs
    if (watched)
      this.#tell({ at: slot * slotMs, seconds, process: listed(processSeries, this.#processValues), kinds })
  }
  #read(kind: Kind, slot: number, seconds: number): Float64Array | undefined {
    try {
      return kind.read(slot, seconds)
    } catch {
      // Of another version than we know how to read: it must not stop the others, or the process.
      this.#failed += kind.sources.size
      kind.sources.clear()
      return undefined
    }
  }
  #forget(kind: Kind): void {
    kind.block.release()
    this.#kinds.delete(kind.name)
  }
  #tell(reading: HistoryReading): void {
    for (const watcher of this.#watchers) {
      try {
        watcher(reading)
      } catch {
        // Its own affair: a look is on a timer, where a throw would end the process.
      }
    }
  }
  *#blocks(): Generator<Block> {
    yield this.#process
    for (const kind of this.#kinds.values()) yield kind.block
  }
}

const listed = (
  series: ReadonlyArray<{ readonly name: string }>,
  values: Float64Array,
): Record<string, number> => {
  const list: Record<string, number> = {}
  for (const [at, { name }] of series.entries()) {
    const value = values[at] ?? 0
    if (value !== 0 && Number.isFinite(value)) list[name] = value
  }
  return list
}
let shared: History | undefined
/** The one of this process, over all its registries: who shows the same should look once. It runs while somebody holds it. */
export const processHistory = (): History => (shared ??= new History())
