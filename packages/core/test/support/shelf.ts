/** A store of the test's own: it notes what is asked of it, may take its time, and may fail. */
import type { SessionStore, Stored } from "../../src/store/SessionStore.ts"
import type { VirtualClock } from "./VirtualClock.ts"

type Verb = "load" | "save" | "remove" | "setAside"

export interface Shelf extends SessionStore {
  readonly records: Map<string, Stored>
  /** Keys and versions that were set aside. */
  readonly aside: Array<string>
  /** `load a`, `save a on 1`, `save a on 1: conflict`, `remove a`, `set aside a on 1`, as they take effect. */
  readonly lines: Array<string>
  /** Milliseconds that the next calls take; 0: they answer at once, without a promise. Infinity: never. */
  readonly takes: Record<Verb, number>
  /** What a verb fails with, once its time has passed. */
  readonly fails: { [verb in Verb]?: unknown }
}

export const shelf = (clock: VirtualClock): Shelf => {
  let versions = 0
  const records: Shelf["records"] = new Map()
  const lines: Array<string> = []
  const aside: Array<string> = []
  const takes = { load: 0, save: 0, remove: 0, setAside: 0 }
  const fails: Shelf["fails"] = {}
  const after = <A>(verb: Verb, effect: () => A): A | Promise<A> => {
    const act = (): A => {
      if (verb in fails) throw fails[verb]
      return effect()
    }
    if (takes[verb] === 0) return act()
    return takes[verb] === Infinity ? new Promise<A>(() => {}) : clock.after(takes[verb]).then(act)
  }
  return {
    records,
    lines,
    aside,
    takes,
    fails,
    load: (key) =>
      after("load", () => {
        lines.push(`load ${key}`)
        return records.get(key)
      }),
    save: (key, state, version) =>
      after("save", () => {
        const wins = records.get(key)?.version === version
        lines.push(`save ${key} on ${version ?? "nothing"}${wins ? "" : ": conflict"}`)
        if (!wins) return undefined
        records.set(key, { state, version: String(++versions) })
        return String(versions)
      }),
    remove: (key) =>
      after("remove", () => {
        lines.push(`remove ${key}`)
        records.delete(key)
      }),
    setAside: (key, version) =>
      after("setAside", () => {
        lines.push(`set aside ${key} on ${version}`)
        if (records.get(key)?.version !== version) return
        aside.push(`${key} ${version}`)
        records.delete(key)
      }),
  }
}
