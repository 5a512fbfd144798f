/** What a round leaves behind: nothing of its registries can be reached any more, and the heap is as full as before. */
import type { Violation } from "./book/types.ts"
import { pauseUnheld } from "./time.ts"

export interface Held {
  readonly name: string
  readonly ref: WeakRef<object>
}
export interface Left {
  /** Bytes. */
  readonly heap: number
  readonly found: ReadonlyArray<Violation>
}

/** Collects until the registries of the round are gone. */
export const collect = async (
  registries: ReadonlyArray<Held>,
  /** Milliseconds. What is remembered of failures and of streams ends well before, with the times of this run. */
  patience = 4000,
): Promise<Left> => {
  const { gc } = globalThis
  if (gc === undefined) throw new Error("the heap can only be judged with --expose-gc")
  const end = performance.now() + patience
  for (;;) {
    await pauseUnheld(50)
    gc()
    const heap = process.memoryUsage().heapUsed
    const held = registries.filter(({ ref }) => ref.deref() !== undefined)
    if (held.length === 0) return { heap, found: [] }
    if (performance.now() < end) continue
    const names = held.map(({ name }) => name).join(", ")
    return {
      heap,
      found: [
        { rule: "memory", what: `long after their drain these are still held: ${names}`, about: undefined },
      ],
    }
  }
}
