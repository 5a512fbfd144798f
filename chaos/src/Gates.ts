/** What hangs until let go waits here: each hang of a round ends at its end, so that what was abandoned ends too. */
export class Gates {
  #waiting: Array<() => void> = []
  #open = false
  /** How many may still be hung up for good: each costs a slot, and mostly a leak. */
  #left: number
  constructor(most: number) {
    this.#left = most
  }

  /** May one more hang here? */
  take(): boolean {
    if (this.#open || this.#left === 0) return false
    this.#left--
    return true
  }
  wait(): Promise<void> {
    if (this.#open) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
  letGo(): void {
    this.#open = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
