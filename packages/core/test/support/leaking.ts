/** A world whose resources hang while they are released, until the test lets go of them. */
import type { Opening } from "../../src/Sessions.ts"
import type { Face } from "./faces.ts"
import { gate, type Gate, type Policy, type Thing, type World } from "./ledger.ts"
import { watch, type Watched } from "./watch.ts"

export interface Leaking extends World<Thing> {
  /** Lets the generation with this serial end. */
  readonly ends: (serial: number) => void
  /** Uses the key; the value is the serial of what served it. */
  readonly use: (key?: string) => Watched & { readonly promise: Promise<unknown> }
}

/** Closes take 300 ms unless told otherwise. `hangs`: whether releases hang. */
export const leaking =
  (world: Face["world"]) =>
  (policy: Policy, hangs = true, before?: (opening: Opening) => unknown): Leaking => {
    const held = new Map<number, Gate>()
    const w = world({ timeouts: { close: 300 }, ...policy }, (opening) => {
      if (hangs) {
        const end = gate()
        held.set(opening.serial, end)
        opening.onClose(() => end.promise)
      }
      return before?.(opening)
    })
    return {
      ...w,
      ends: (serial) => held.get(serial)?.open(),
      use: (key = "a") => {
        const promise = w.sessions.run(key, (thing) => thing.serial)
        return Object.assign(watch(w.clock, promise), { promise })
      },
    }
  }
