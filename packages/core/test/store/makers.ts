/** Every store there is, each made so that no test meets the records of another. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate as turn } from "node:timers/promises"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { onTestFinished } from "vitest"
import { keyValueStore, memoryStore, type SessionStore } from "../../src/index.ts"
import { fileStore } from "../../src/node.ts"

interface Limits {
  readonly maxBytes?: number
}
type Make = (limits?: Limits) => SessionStore | Promise<SessionStore>

/** Gone when the test is over. */
export const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), "stores-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

export const memoryLayer = (): KeyValueStore.KeyValueStore =>
  Effect.runSync(Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory))

/** Over a map. It answers some turns of the event loop later, as one in another process would. */
export const farKv = (
  texts: Map<string, string>,
  atomic: boolean,
  later: () => Promise<unknown> = () => turn(),
): KeyValueStore.KeyValueStore => {
  const after = <A>(work: () => A): Effect.Effect<A> => Effect.promise(() => later().then(work))
  return KeyValueStore.makeStringOnly({
    get: (key) => after(() => texts.get(key)),
    set: (key, value) => after(() => void texts.set(key, value)),
    remove: (key) => after(() => void texts.delete(key)),
    clear: after(() => texts.clear()),
    size: after(() => texts.size),
    keys: after(() => [...texts.keys()]),
    ...(atomic && {
      modify: (key, change) =>
        after(() => {
          const before = texts.get(key)
          if (before === undefined) return undefined
          const changed = change(before)
          texts.set(key, changed)
          return changed
        }),
    }),
  })
}

export const makers: Readonly<Record<string, Make>> = {
  memoryStore: (limits) => memoryStore(limits),
  fileStore: async (limits) => fileStore({ directory: join(await folder(), "not", "yet"), ...limits }),
  "keyValueStore in memory": (limits) => keyValueStore(memoryLayer(), limits),
  "keyValueStore far away": (limits) => keyValueStore(farKv(new Map(), false), limits),
}
