/** A registry under test, its record, and who listens to it. */
import { createSessions, type SessionKey } from "@sojourn/core"
import type { Random } from "../random.ts"
import { openerOf } from "./opening.ts"
import { drawPolicy } from "./policy.ts"
import type { KindName, Resource, Scene, Site } from "./Scene.ts"

const keyCounts: Readonly<Record<KindName, number>> = { memory: 120, child: 6, socket: 16, database: 2 }

const keysOf = (kind: KindName): ReadonlyArray<SessionKey> =>
  Array.from({ length: keyCounts[kind] }, (_, index) =>
    // A third belongs to owners, whose sessions are counted.
    index % 3 === 0 && kind !== "database"
      ? { owner: `owner${index % 5}`, id: `s${index}` }
      : `${kind}${index}`,
  )

/** `name`: unique in the round. */
export const makeSite = (scene: Scene, kind: KindName, name: string, random: Random): Site => {
  const { policy, terms } = drawPolicy(kind, random)
  const store = random.pick(["own", ...scene.stores.keys()]) ?? "own"
  const record = scene.book.site(name, terms, store)
  const sessions = createSessions<Resource>({
    name,
    open: (opening) => open(opening),
    store: scene.stores.get(store),
    ...policy,
  })
  const site: Site = {
    record,
    kind,
    sessions,
    keys: keysOf(kind),
    live: new Set(),
    openings: new Map(),
    drainAsked: false,
    outageUntil: 0,
    watchesHeap: policy.maxHeap !== 1,
  }
  const open = openerOf(scene, site)
  sessions.subscribe((event) => scene.book.hear(record, event))
  return site
}
