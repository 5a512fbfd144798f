/** Events as a Stream. A slow reader loses task events, counted, and never a fact of a session's life. */
import * as Stream from "effect/Stream"
import type { SessionEvent } from "../../observe/SessionEvent.ts"
import type { Registry } from "../../registry/Registry.ts"

const mostPending = 4096

export const events = (registry: Registry): Stream.Stream<SessionEvent> =>
  Stream.fromAsyncIterable({ [Symbol.asyncIterator]: () => new Reader(registry) }, (error) => error).pipe(
    Stream.orDie,
  )

class Reader implements AsyncIterator<SessionEvent> {
  readonly #unsubscribe: () => void
  #pending: Array<SessionEvent> = []
  #dropped = 0
  #wake: (() => void) | undefined
  #left = false

  constructor(registry: Registry) {
    this.#unsubscribe = registry.events.subscribe((event) => this.#add(event))
  }
  #add(event: SessionEvent): void {
    const droppable = event._tag.startsWith("Task") || event._tag === "Refused"
    if (droppable && this.#pending.length >= mostPending) this.#dropped++
    else {
      if (this.#dropped > 0) {
        this.#pending.push({ _tag: "EventsDropped", count: this.#dropped, at: event.at, seq: event.seq })
        this.#dropped = 0
      }
      this.#pending.push(event)
    }
    this.#wake?.()
  }
  async next(): Promise<IteratorResult<SessionEvent>> {
    for (;;) {
      const event = this.#pending.shift()
      if (event !== undefined) return { done: false, value: event }
      if (this.#left) return { done: true, value: undefined }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }
  async return(): Promise<IteratorResult<SessionEvent>> {
    this.#left = true
    this.#unsubscribe()
    this.#wake?.()
    return { done: true, value: undefined }
  }
}
