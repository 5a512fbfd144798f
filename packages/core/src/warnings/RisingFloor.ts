/**
 * Does something accumulate? A window is cut in four quarters, and the least of each is kept: if these rise from one to the
 * next, more comes than goes. A burst, however high, moves the greatest and not the least.
 */
export class RisingFloor {
  /** Of whole quarters, oldest first, at most four. */
  readonly #minima: Array<number> = []
  #low = Infinity
  #looks = 0

  /** One look; `perQuarter`: so many make a quarter. */
  add(value: number, perQuarter: number): void {
    if (value < this.#low) this.#low = value
    if (++this.#looks < perQuarter) return
    this.#minima.push(this.#low)
    if (this.#minima.length > 4) this.#minima.shift()
    this.#low = Infinity
    this.#looks = 0
  }
  /** The minima of the last four quarters, oldest first; undefined: there were not so many yet. */
  get quarters(): ReadonlyArray<number> | undefined {
    return this.#minima.length === 4 ? this.#minima : undefined
  }
  /** Of the last whole quarter; Infinity: there is none yet. */
  get floor(): number {
    return this.#minima.at(-1) ?? Infinity
  }
  /** The least since the last whole quarter began. */
  get low(): number {
    return Math.min(this.#low, this.floor)
  }
  /** Three quarters before the last. */
  get before(): number {
    return this.#minima[0] ?? Infinity
  }
}

export const rises = (quarters: ReadonlyArray<number>): boolean =>
  quarters.every((value, index) => index === 0 || value > (quarters[index - 1] ?? Infinity))
