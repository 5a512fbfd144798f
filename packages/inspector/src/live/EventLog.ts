/**
 * The last events of all registries, kept while somebody watches. Between looks an event costs its place in a ring: it is made
 * fit for the wire only when it is sent.
 */
import type { AnySessions, SessionEvent } from "@sojourn/core"
import type { Names } from "../names/Names.ts"
import type { EventRow } from "../protocol/events.ts"
import { bounds } from "../protocol/words.ts"
import { eventRow } from "../rows/eventRow.ts"
import type { Registries } from "./Registries.ts"

const kept = 1024
/** Milliseconds for which events are watched after somebody asked for them once. */
const lingering = 30_000

interface Kept {
  readonly kind: string
  readonly event: SessionEvent
}
export interface EventFilter {
  readonly kind?: ReadonlyArray<string> | undefined
  /** `kind/hash`. */
  readonly session?: ReadonlyArray<string> | undefined
}
export interface Taken {
  readonly events: ReadonlyArray<EventRow>
  /** Number of the newest event there is. */
  readonly last: number
  /** Of those after the one asked for, how many are not among `events` although they might have been. */
  readonly dropped: number
}

export class EventLog {
  readonly #registries: Registries
  readonly #ring: Array<Kept | undefined> = Array.from({ length: kept })
  /** Events so far: the next one has this number plus one. */
  #last = 0
  #holders = 0
  #end: (() => void) | undefined
  #lingers: { readonly timer: ReturnType<typeof setTimeout>; readonly end: () => void } | undefined

  constructor(registries: Registries) {
    this.#registries = registries
  }
  get last(): number {
    return this.#last
  }
  get watching(): boolean {
    return this.#holders > 0
  }

  hold(): () => void {
    if (this.#holders++ === 0) this.#start()
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--this.#holders === 0) this.#stop()
    }
  }
  /** For who asks again and again: watched for a while after each time. */
  linger(): void {
    if (this.#lingers !== undefined) clearTimeout(this.#lingers.timer)
    const end = this.#lingers?.end ?? this.hold()
    const timer = setTimeout(() => this.#lingered(), lingering)
    timer.unref()
    this.#lingers = { timer, end }
  }
  dispose(): void {
    this.#lingered()
    this.#stop()
  }
  /** Those after `after`, oldest first; of too many the newest. */
  take(after: number, most: number, filter: EventFilter, names: Names): Taken {
    const kinds = filter.kind === undefined || filter.kind.length === 0 ? undefined : new Set(filter.kind)
    const sessions =
      filter.session === undefined || filter.session.length === 0 ? undefined : new Set(filter.session)
    // Numbers of another life of this process begin anew.
    const from = after > this.#last ? 0 : after
    const oldest = Math.max(0, this.#last - kept)
    const rows: Array<EventRow> = []
    let n = this.#last
    let holes = 0
    for (; n > Math.max(from, oldest); n--) {
      const one = this.#ring[(n - 1) % kept]
      if (one === undefined) holes++
      if (one === undefined || (kinds !== undefined && !kinds.has(one.kind))) continue
      if (rows.length >= Math.min(most, bounds.events)) break
      const row = eventRow(n, one.kind, one.event, names) as EventRow
      if (sessions === undefined || (row.session !== undefined && sessions.has(`${one.kind}/${row.session}`)))
        rows.push(row)
    }
    return { events: rows.toReversed(), last: this.#last, dropped: Math.max(0, n - from) + holes }
  }

  #lingered(): void {
    if (this.#lingers === undefined) return
    clearTimeout(this.#lingers.timer)
    this.#lingers.end()
    this.#lingers = undefined
  }
  #start(): void {
    // What happened while nobody watched is a hole, of nobody knows how many.
    if (this.#last > 0) this.#last++
    const ends = new Map<AnySessions, () => void>()
    const unwatch = this.#registries.watch((sessions) => {
      if (ends.has(sessions)) return
      const kind = sessions.name
      const end = sessions.subscribe((event) => {
        this.#ring[this.#last % kept] = { kind, event }
        this.#last++
        // It has nothing more to tell.
        if (event._tag !== "DrainEnded") return
        ends.get(sessions)?.()
        ends.delete(sessions)
      })
      ends.set(sessions, end)
    })
    this.#end = () => {
      unwatch()
      for (const end of ends.values()) end()
    }
  }
  /** What is kept holds errors, and by them whatever they hold. */
  #stop(): void {
    this.#end?.()
    this.#end = undefined
    this.#ring.fill(undefined)
  }
}
