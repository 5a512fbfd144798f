/** One who looks: it is given its next frame when it has taken the last one, and let go when it takes nothing any more. */
import type { LiveBody } from "../handler/Ask.ts"
import type { Channel, Frame } from "./Channel.ts"
import type { Cursor } from "./sections.ts"

/** Milliseconds that it may be behind. */
const patience = 4000
/** Milliseconds in which what has become possible meanwhile is seen first: the loop may have stood still. */
const lastChance = 250
/** Milliseconds. Who stays comes back and is asked anew who it is. */
const longestStay = 15 * 60_000

export class Viewer implements LiveBody {
  readonly channel: Channel
  readonly #gone: () => void
  #cursor: Cursor
  #dropped = 0
  #begun = false
  /** It has taken everything, and waits to be told. */
  #waits = false
  #over = false
  #onNews: () => void = () => {}
  #onOver: (cut: boolean) => void = () => {}
  #behind: ReturnType<typeof setTimeout> | undefined
  readonly #since = performance.now()

  /** `gone`: called once, when it has left. */
  constructor(channel: Channel, cursor: Cursor, gone: () => void) {
    this.channel = channel
    this.#cursor = cursor
    this.#gone = gone
  }

  readonly start = (onNews: () => void, onOver: (cut: boolean) => void): void => {
    this.#onNews = onNews
    this.#onOver = onOver
    if (this.#over) onOver(false)
  }
  readonly take = (): string | undefined => {
    if (this.#over) return undefined
    if (this.#behind !== undefined) clearTimeout(this.#behind)
    this.#behind = undefined
    if (this.#cursor.seq === this.channel.seq) {
      this.#waits = true
      return undefined
    }
    this.#waits = false
    const { id, json } = this.#frame()
    const text = `id: ${id}\nevent: frame\ndata: {${json}}\n\n`
    if (this.#begun) return text
    this.#begun = true
    return `retry: 1000\n\n${text}`
  }
  /** One frame, and away. */
  readonly once = (): string => {
    const { id, json } = this.#frame()
    this.#end()
    return `{"id":"${id}",${json}}`
  }
  readonly leave = (): void => void this.#end()

  /** The channel has looked. */
  news(): void {
    if (this.#over) return
    if (performance.now() - this.#since > longestStay) return this.end()
    if (this.#waits) {
      this.#waits = false
      this.#onNews()
    } else if (this.#behind === undefined)
      this.#watch(patience, () => this.#watch(lastChance, () => this.end(true)))
  }
  end(cut = false): void {
    if (this.#end()) this.#onOver(cut)
  }

  #frame(): Frame {
    const frame = this.channel.frame(this.#cursor, this.#dropped)
    this.#cursor = frame.cursor
    this.#dropped = frame.dropped
    return frame
  }
  #watch(ms: number, then: () => void): void {
    this.#behind = setTimeout(then, ms)
    this.#behind.unref()
  }
  #end(): boolean {
    if (this.#over) return false
    this.#over = true
    clearTimeout(this.#behind)
    this.channel.leave(this)
    this.#gone()
    return true
  }
}
