/**
 * One view, for all who look at it: one look at the registries for each beat, whoever many they are. Each takes its frame when
 * it can; who is slow is told what has changed since its last one.
 */
import { protocolVersion } from "../protocol/version.ts"
import type { Cursor, LivePart } from "./sections.ts"
import type { Viewer } from "./Viewer.ts"

/** A look may take this share of the time until the next one: where it takes longer, the beat is slower. */
const share = 0.1

export interface Frame {
  readonly id: string
  /** The frame as JSON, without its brackets. */
  readonly json: string
  readonly cursor: Cursor
  readonly dropped: number
}

export class Channel {
  readonly id: string
  readonly #run: string
  readonly #everyMs: number
  readonly #parts: ReadonlyArray<LivePart>
  readonly #nextSnapshot: () => number
  readonly #viewers = new Set<Viewer>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #seq = 0
  #t = 0
  #snapshot = 0
  #lookedAt = -Infinity
  /** Milliseconds that the last look took. */
  cost = 0

  constructor(
    run: string,
    number: number,
    everyMs: number,
    parts: ReadonlyArray<LivePart>,
    nextSnapshot: () => number,
  ) {
    this.id = `${run}-${number}`
    this.#run = run
    this.#everyMs = everyMs
    this.#parts = parts
    this.#nextSnapshot = nextSnapshot
  }
  get seq(): number {
    return this.#seq
  }
  get viewers(): number {
    return this.#viewers.size
  }
  /** When somebody last looked. Monotonic milliseconds. */
  get lookedAt(): number {
    return this.#lookedAt
  }

  join(viewer: Viewer): void {
    this.#viewers.add(viewer)
    // What the others have seen just now is good enough for one more.
    if (performance.now() - this.#lookedAt >= this.#everyMs) this.look()
    if (this.#timer === undefined) this.#schedule()
  }
  leave(viewer: Viewer): void {
    this.#viewers.delete(viewer)
    if (this.#viewers.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** For who was told this much before. */
  frame(since: Cursor, dropped: number): Frame {
    const full = since.seq < 0
    const delta: Array<string> = []
    let { event, past } = since
    for (const part of this.#parts) {
      const told = part.tell(since)
      if (told.json !== undefined) delta.push(`"${part.name}":${told.json}`)
      event = told.event ?? event
      past = told.past ?? past
      dropped += told.dropped ?? 0
    }
    const cursor: Cursor = { seq: this.#seq, event, past }
    const head = `"protocolVersion":${protocolVersion},"run":"${this.#run}","seq":${this.#seq},"t":${this.#t},"snapshot":${this.#snapshot}`
    return {
      id: `${this.id}.${cursor.seq}.${cursor.event}.${cursor.past}`,
      json: `${head},"full":${full},"dropped":${dropped},"delta":{${delta.join(",")}}`,
      cursor,
      dropped,
    }
  }

  readonly #beat = (): void => {
    this.look()
    this.#schedule()
    for (const viewer of this.#viewers) viewer.news()
  }
  #schedule(): void {
    this.#timer = setTimeout(this.#beat, Math.max(this.#everyMs - this.cost, this.cost / share))
    this.#timer.unref()
  }
  look(): void {
    const began = performance.now()
    this.#seq++
    this.#t = Date.now()
    this.#snapshot = this.#nextSnapshot()
    for (const part of this.#parts) part.look(this.#seq)
    this.#lookedAt = performance.now()
    this.cost = this.#lookedAt - began
  }
}
