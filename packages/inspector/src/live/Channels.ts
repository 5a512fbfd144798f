/** All views that somebody looks at, and those that somebody has just left: who comes back soon goes on where it was. */
import { Refusal } from "../safety/Refusal.ts"
import { Channel } from "./Channel.ts"
import type { Cursor, LivePart } from "./sections.ts"
import { Viewer } from "./Viewer.ts"

/** Live streams at once. */
export const mostViewers = 64
const mostLeft = 16
/** Milliseconds. */
const keptFor = 60_000

export class Channels {
  readonly #open = new Map<string, Channel>()
  readonly #viewers = new Set<Viewer>()
  readonly #run = Math.random().toString(36).slice(2, 10)
  readonly #nextSnapshot: () => number
  readonly #onEmpty: () => void
  #made = 0
  constructor(nextSnapshot: () => number, onEmpty: () => void) {
    this.#nextSnapshot = nextSnapshot
    this.#onEmpty = onEmpty
  }
  get viewers(): number {
    return this.#viewers.size
  }

  /** `view`: says what is seen; equal ones are one channel. `gone` is called once, when it has left. */
  view(
    view: string,
    everyMs: number,
    lastEventId: string | undefined,
    make: () => ReadonlyArray<LivePart>,
    gone: () => void,
  ): Viewer {
    if (this.#viewers.size >= mostViewers)
      throw new Refusal("too-many-viewers", { headers: { "retry-after": "5" } })
    this.#forgetOld()
    const name = `${everyMs} ${view}`
    const channel =
      this.#open.get(name) ?? new Channel(this.#run, ++this.#made, everyMs, make(), this.#nextSnapshot)
    // The last one used is the last one forgotten.
    this.#open.delete(name)
    this.#open.set(name, channel)
    const viewer: Viewer = new Viewer(channel, cursorOf(lastEventId, channel), () => {
      this.#viewers.delete(viewer)
      gone()
      if (this.#viewers.size === 0) this.#onEmpty()
    })
    this.#viewers.add(viewer)
    try {
      channel.join(viewer)
    } catch (error) {
      viewer.leave()
      throw error
    }
    return viewer
  }
  dispose(): void {
    for (const viewer of this.#viewers) viewer.end()
    this.#open.clear()
  }

  #forgetOld(): void {
    const now = performance.now()
    let left = [...this.#open.values()].filter((channel) => channel.viewers === 0).length
    for (const [name, channel] of this.#open) {
      if (channel.viewers > 0) continue
      if (left <= mostLeft && now - channel.lookedAt <= keptFor) continue
      this.#open.delete(name)
      left--
    }
  }
}

/** Where it was, if this channel knows; else the beginning. */
const cursorOf = (lastEventId: string | undefined, { id, seq }: Channel): Cursor => {
  const [channel, ...numbers] = (lastEventId ?? "").split(".")
  const [last = -1, event = 0, past = 0] = numbers.map((number) =>
    /^\d{1,15}$/.test(number) ? Number(number) : -1,
  )
  return channel === id && last >= 0 && last <= seq && event >= 0 && past >= 0
    ? { seq: last, event, past }
    : { seq: -1, event: 0, past: 0 }
}
