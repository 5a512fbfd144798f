/** The best few of many, without sorting the others: a bounded heap, the worst of those kept on top. */

/** What rows are put in order by; undefined comes last, whatever the direction. */
export type Value = number | string | undefined

/** Below zero: `a` comes before `b`. */
export const compareValues = (a: Value, b: Value, descending: boolean): number => {
  if (a === b) return 0
  if (a === undefined) return 1
  if (b === undefined) return -1
  return a < b === descending ? 1 : -1
}

export class Best<T> {
  readonly #most: number
  readonly #descending: boolean
  readonly #values: Array<Value> = []
  /** The order of arrival: it decides between equals, so that rows do not change places without a reason. */
  readonly #ties: Array<number> = []
  readonly #items: Array<T> = []
  #arrived = 0

  constructor(most: number, descending: boolean) {
    this.#most = most
    this.#descending = descending
  }
  /** Whether something of this value would be kept: ask before what is costly to make. */
  takes(value: Value): boolean {
    if (this.#values.length < this.#most) return true
    // Of equals the first to arrive is kept.
    return this.#most > 0 && compareValues(value, this.#values[0], this.#descending) < 0
  }
  add(value: Value, item: T): void {
    const tie = this.#arrived++
    if (!this.takes(value)) return
    if (this.#values.length < this.#most) this.#rise(value, tie, item)
    else this.#sink(value, tie, item)
  }
  /** In order, from `offset` on. */
  from(offset: number): Array<T> {
    const order = this.#items.map((_, index) => index)
    order.sort((a, b) => this.#compare(this.#values[a], this.#ties[a] ?? 0, b))
    return order.slice(offset).map((index) => this.#items[index] as T)
  }

  #compare(value: Value, tie: number, other: number): number {
    return compareValues(value, this.#values[other], this.#descending) || tie - (this.#ties[other] ?? 0)
  }
  #put(at: number, value: Value, tie: number, item: T): void {
    this.#values[at] = value
    this.#ties[at] = tie
    this.#items[at] = item
  }
  #move(from: number, to: number): void {
    this.#put(to, this.#values[from], this.#ties[from] ?? 0, this.#items[from] as T)
  }
  #rise(value: Value, tie: number, item: T): void {
    let at = this.#values.length
    this.#put(at, value, tie, item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#compare(value, tie, parent) <= 0) break
      this.#move(parent, at)
      at = parent
    }
    this.#put(at, value, tie, item)
  }
  #sink(value: Value, tie: number, item: T): void {
    const size = this.#values.length
    let at = 0
    for (let child = 1; child < size; child = 2 * at + 1) {
      const other = child + 1
      if (other < size && this.#compare(this.#values[other], this.#ties[other] ?? 0, child) > 0) child = other
      if (this.#compare(value, tie, child) >= 0) break
      this.#move(child, at)
      at = child
    }
    this.#put(at, value, tie, item)
  }
}
