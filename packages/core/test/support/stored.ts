/** A world over a store of the test's own, in which each generation adds its serial to what it was given, and saves that. */
import type { Opening } from "../../src/Sessions.ts"
import type { Face } from "./faces.ts"
import type { Policy, Thing, World } from "./ledger.ts"
import { shelf, type Shelf } from "./shelf.ts"
import { VirtualClock } from "./VirtualClock.ts"
import { watch, type Watched } from "./watch.ts"

export interface StoredWorld extends World<Thing> {
  readonly store: Shelf
  /** What each opening was given, in order. */
  readonly restored: Array<unknown>
  readonly use: (key?: string) => Watched
  /** `WarningRaised SnapshotConflict` … */
  readonly warnings: () => ReadonlyArray<string>
}

export const storedWorlds =
  (world: Face["world"]) =>
  (
    policy: Policy = {},
    before: (opening: Opening, given: unknown) => unknown = (opening, given) => {
      opening.save(() => [...(Array.isArray(given) ? given : []), opening.serial])
    },
  ): StoredWorld => {
    const clock = new VirtualClock()
    const store = shelf(clock)
    const restored: Array<unknown> = []
    const w = world(
      { store, ...policy },
      (opening) => {
        const given = opening.restored
        restored.push(given)
        return before(opening, given)
      },
      clock,
    )
    return {
      ...w,
      store,
      restored,
      use: (key = "a") =>
        watch(
          clock,
          w.sessions.run(key, (thing) => thing.serial),
        ),
      warnings: () =>
        w.events.flatMap((event) => ("warning" in event ? [`${event._tag} ${event.warning}`] : [])),
    }
  }
