/**
 * How much counters went up in a window that moves by quarters of itself: what is told covers between three quarters and
 * the whole of it. Before a window has passed, it covers what there was since it began.
 */
export class Lately {
  /** Where the counters stood at the last four ends of quarters, oldest first. */
  readonly #marks: Array<ReadonlyArray<number>> = []
  #looks = 0

  /** Where they stand now: what comes after counts. */
  begin(counters: ReadonlyArray<number>): void {
    this.#marks.push(counters)
  }
  /** One look at the counters; `perQuarter`: so many looks make a quarter. How much each went up. */
  look(counters: ReadonlyArray<number>, perQuarter: number): ReadonlyArray<number> {
    const oldest = this.#marks[0] ?? counters
    if (++this.#looks >= perQuarter) {
      this.#looks = 0
      this.#marks.push(counters)
      if (this.#marks.length > 4) this.#marks.shift()
    }
    return counters.map((value, index) => value - (oldest[index] ?? value))
  }
}
