/** A page far from the beginning: all are gathered, and only the page is put in order. */
import { compareValues, type Value } from "./Best.ts"

type Before = (a: number, b: number) => number

export class Far<T> {
  readonly #descending: boolean
  readonly #items: Array<T> = []
  /** The values as numbers, the smallest first; as long as there is no text among them. */
  #scores = new Float64Array(1024)
  #texts: Array<Value> | undefined

  constructor(descending: boolean) {
    this.#descending = descending
  }
  add(value: Value, item: T): void {
    const at = this.#items.length
    this.#items.push(item)
    if (this.#texts !== undefined) this.#texts.push(value)
    else if (typeof value === "string") {
      this.#texts = Array.from(this.#scores.subarray(0, at), (score) => this.#valueOf(score))
      this.#texts.push(value)
    } else {
      if (at === this.#scores.length) {
        const more = new Float64Array(at * 2)
        more.set(this.#scores)
        this.#scores = more
      }
      // What has no value comes last in either direction.
      this.#scores[at] = value === undefined ? Infinity : this.#descending ? -value : value
    }
  }
  page(offset: number, limit: number): Array<T> {
    const size = this.#items.length
    const from = Math.min(offset, size)
    const to = Math.min(offset + limit, size)
    if (from === to) return []
    const page = this.#texts === undefined ? this.#byScore(from, to) : this.#byText(this.#texts, from, to)
    return page.map((index) => this.#items[index] as T)
  }

  /** The scores at both ends of the page say which are in it; of those that are equal to an end, the first to arrive. */
  #byScore(from: number, to: number): ReadonlyArray<number> {
    const size = this.#items.length
    const scores = this.#scores.subarray(0, size)
    const sorted = scores.slice()
    const lowest = valueAt(sorted, 0, from)
    const highest = valueAt(sorted, from, to - 1)
    let below = 0
    let belowHighest = 0
    for (let index = 0; index < size; index++) {
      const score = scores[index] ?? 0
      if (score < lowest) below++
      if (score < highest) belowHighest++
    }
    const first: Array<number> = []
    const between: Array<number> = []
    const last: Array<number> = []
    let skip = from - below
    for (let index = 0; index < size; index++) {
      const score = scores[index] ?? 0
      if (score < lowest || score > highest) continue
      if (score === lowest) {
        if (skip-- <= 0 && first.length < to - from) first.push(index)
      } else if (score === highest) {
        if (last.length < to - belowHighest) last.push(index)
      } else between.push(index)
    }
    between.sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0) || a - b)
    return [...first, ...between, ...last]
  }
  #byText(texts: ReadonlyArray<Value>, from: number, to: number): ReadonlyArray<number> {
    const size = texts.length
    const order = Uint32Array.from({ length: size }, (_, index) => index)
    const before: Before = (a, b) => compareValues(texts[a], texts[b], this.#descending) || a - b
    if (from > 0) select(order, 0, size - 1, from, before)
    if (to < size) select(order, from, size - 1, to, before)
    return [...order.subarray(from, to)].toSorted(before)
  }
  #valueOf(score: number): Value {
    return score === Infinity ? undefined : this.#descending ? -score : score
  }
}

/** The value that would be there if all from `low` on were in order; those before it are then no larger. */
const valueAt = (values: Float64Array, low: number, at: number): number => {
  let high = values.length - 1
  while (high > low) {
    const pivot = values[(low + high) >>> 1] ?? 0
    let left = low
    let right = high
    while (left <= right) {
      while ((values[left] ?? 0) < pivot) left++
      while ((values[right] ?? 0) > pivot) right--
      if (left > right) break
      const held = values[left] ?? 0
      values[left++] = values[right] ?? 0
      values[right--] = held
    }
    if (at <= right) high = right
    else if (at >= left) low = left
    else break
  }
  return values[at] ?? 0
}

/** Afterwards what is before `nth` comes before it, and what is behind comes behind. */
const select = (order: Uint32Array, low: number, high: number, nth: number, before: Before): void => {
  while (high > low) {
    // The median of three keeps what is in order already from being the worst case.
    const middle = (low + high) >>> 1
    swapUnless(order, low, middle, before)
    swapUnless(order, low, high, before)
    swapUnless(order, middle, high, before)
    const pivot = order[middle] ?? 0
    let left = low
    let right = high
    while (left <= right) {
      while (before(order[left] ?? 0, pivot) < 0) left++
      while (before(order[right] ?? 0, pivot) > 0) right--
      if (left > right) break
      swap(order, left++, right--)
    }
    if (nth <= right) high = right
    else if (nth >= left) low = left
    else return
  }
}
const swap = (order: Uint32Array, a: number, b: number): void => {
  const held = order[a] ?? 0
  order[a] = order[b] ?? 0
  order[b] = held
}
const swapUnless = (order: Uint32Array, a: number, b: number, before: Before): void => {
  if (before(order[b] ?? 0, order[a] ?? 0) < 0) swap(order, a, b)
}
