/**
 * The memory rung of the ladder (L9): above the watermark nothing is opened, and idle sessions are closed, longest idle
 * first, until the heap is down to a lower mark. Two marks, as Orleans sheds its activations: with one, every opening near it
 * would cost a closing.
 */
import { sessionsToShed } from "./admission.ts"
import type { Registry } from "./Registry.ts"

/** Milliseconds between two looks while sessions are open. */
const lookEvery = 1000
/** A share of the heap limit. */
const lowMarkBelow = 0.05

export class HeapWatch {
  readonly #registry: Registry
  readonly #measure: () => number
  #over = false
  #shedding = false
  #looking = false

  constructor(registry: Registry, measure: () => number) {
    this.#registry = registry
    this.#measure = measure
  }

  /** Nothing may be opened. */
  get over(): boolean {
    return this.#over
  }
  get retryAfter(): number {
    return lookEvery
  }

  /** Somebody wants a seat: looks now, and from now on again and again. */
  begin(): void {
    if (this.#registry.policy.maxHeap === 1) return
    this.#look()
    if (this.#looking) return
    this.#looking = true
    this.#lookAgain()
  }
  #lookAgain(): void {
    const { seats, timetable } = this.#registry
    timetable.at("recycle", lookEvery, () => {
      this.#look()
      this.#looking = seats.taken > 0 || seats.waiting > 0
      if (this.#looking) this.#lookAgain()
    })
  }

  #look(): void {
    const registry = this.#registry
    const used = this.#measure()
    const high = registry.policy.maxHeap
    const low = Math.max(0, high - lowMarkBelow)
    const wasOver = this.#over
    this.#over = used >= high
    this.#shedding = this.#over || (this.#shedding && used > low)
    if (wasOver && !this.#over) registry.steps.dirty = true
    if (!this.#shedding) return
    let left = sessionsToShed(registry.seats.taken, used, low)
    for (let idle = registry.longestIdle(); idle !== undefined && left > 0; idle = registry.longestIdle()) {
      left--
      registry.closing.begin(idle, "Evicted", "forget")
    }
  }
}
