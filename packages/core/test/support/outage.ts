/** A world whose backend can be down: then every opening fails, unless the test says otherwise. */
import type { Opening } from "../../src/Sessions.ts"
import type { SessionEvent } from "../../src/observe/SessionEvent.ts"
import type { Face } from "./faces.ts"
import { withHeap } from "./inner.ts"
import type { Policy, Thing, World } from "./ledger.ts"
import { watch, type Watched } from "./watch.ts"

export interface Backend {
  down: boolean
  /** What an opening fails with. */
  error: unknown
  /** How often it was asked. */
  asked: number
}
export interface Outage extends World<Thing> {
  readonly backend: Backend
  readonly use: (key: Parameters<World<Thing>["sessions"]["run"]>[0]) => Watched
  /** So many keys fail to open, at once. */
  readonly failures: (count: number, name?: string) => Promise<ReadonlyArray<Watched>>
  readonly warnings: () => ReadonlyArray<string>
}

export const outages =
  (world: Face["world"]) =>
  (policy: Policy = {}, before?: (opening: Opening, backend: Backend) => unknown): Outage => {
    const backend: Backend = { down: false, error: new Error("backend down"), asked: 0 }
    const w = withHeap(
      world(policy, async (opening) => {
        backend.asked++
        await before?.(opening, backend)
        if (backend.down) throw backend.error
      }),
    )
    const use: Outage["use"] = (key) =>
      watch(
        w.clock,
        w.sessions.run(key, (thing) => thing.serial),
      )
    return {
      ...w,
      backend,
      use,
      failures: async (count, name = "f") => {
        const calls = Array.from({ length: count }, (_, index) => use(`${name}${index}`))
        await w.clock.advance(0)
        return calls
      },
      warnings: () => w.events.flatMap(warningOf),
    }
  }

const warningOf = (event: SessionEvent): ReadonlyArray<string> =>
  event._tag === "WarningRaised" || event._tag === "WarningCleared" ? [`${event._tag} ${event.warning}`] : []
