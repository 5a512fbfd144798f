/** What the engine looks at outside of itself, in the test's hands: how full the heap is. */
import { HeapWatch } from "../../src/registry/HeapWatch.ts"
import type { World } from "./ledger.ts"

export interface Heap {
  /** 0 to 1. */
  share: number
  /** How often it was looked at. */
  looks: number
}

/** The same world, over a heap that is as full as the test says; at the beginning empty. */
export const withHeap = <W extends World<unknown>>(w: W): W & { readonly heap: Heap } => {
  const heap: Heap = { share: 0, looks: 0 }
  const measure = (): number => {
    heap.looks++
    return heap.share
  }
  Object.assign(w.registry, { heapWatch: new HeapWatch(w.registry, measure) })
  return { ...w, heap }
}
