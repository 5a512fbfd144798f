import { Best, type Value } from "./Best.ts"
import { Far } from "./Far.ts"

/** Up to here a heap is cheaper than gathering all. */
const near = 1024

/** One page of many rows in an order, as they come by. */
export interface Page<T> {
  readonly takes: (value: Value) => boolean
  readonly add: (value: Value, item: T) => void
  readonly rows: () => Array<T>
}

export const pageOf = <T>(offset: number, limit: number, descending: boolean): Page<T> => {
  if (offset + limit <= near) {
    const best = new Best<T>(offset + limit, descending)
    return {
      takes: (value) => best.takes(value),
      add: (value, item) => best.add(value, item),
      rows: () => best.from(offset),
    }
  }
  const far = new Far<T>(descending)
  return {
    takes: () => true,
    add: (value, item) => far.add(value, item),
    rows: () => far.page(offset, limit),
  }
}
