/** The store of a registry that names none: lives and ends with its process. */
import type { Options } from "../SessionOptions.ts"
import { resolveNames, wholeNumber } from "../options.ts"
import { checkedMaxBytes, checkState } from "./checkState.ts"
import type { SessionStore, Stored } from "./SessionStore.ts"

export type MemoryStoreOptions = Options<{
  /** How many keys are kept; of more, the one saved longest ago is forgotten. 1000; 1. */
  readonly keys: number
  /** The largest state that is taken, in bytes, roughly; text counts 2 for a character. 1 MiB; 1. */
  readonly maxBytes: number
}>

/** For each key that is kept, so many versions of forgotten ones are remembered. */
const remembered = 10

/**
 * Keeps states in memory, for what should outlive a session but not its process. `structuredClone` on the way in and out,
 * so nothing is shared with the program. It answers at once, without promises.
 *
 * A key that was forgotten for want of room is loaded as nothing. Who had read it before may still save: nobody else wrote.
 *
 * Here `setAside` only forgets: there is no place where people could look.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const memoryStore = (options: MemoryStoreOptions = {}): SessionStore => {
  resolveNames(options, ["keys", "maxBytes"])
  const maxKeys = wholeNumber("keys", options.keys, 1000, 1)
  const maxBytes = checkedMaxBytes(options.maxBytes)
  // Made by the first save: most registries never save anything.
  let records: Map<string, Stored> | undefined
  /** Versions of keys that were forgotten for want of room. */
  let forgotten: Map<string, string> | undefined
  let saves = 0

  return {
    load: (key) => {
      const record = records?.get(key)
      return record && { state: structuredClone(record.state), version: record.version }
    },
    save: (key, state, version) => {
      checkState(state, maxBytes, "whole")
      // First: a getter of the state may call back in.
      const copy: unknown = structuredClone(state)
      const current = records?.get(key)?.version
      if (current !== version && (current !== undefined || forgotten?.get(key) !== version)) return undefined
      const record: Stored = { state: copy, version: String(++saves) }
      records ??= new Map()
      records.delete(key)
      records.set(key, record)
      forgotten?.delete(key)
      const oldest = records.size > maxKeys ? takeOldest(records) : undefined
      if (oldest !== undefined) {
        forgotten ??= new Map()
        forgotten.set(oldest[0], oldest[1].version)
        if (forgotten.size > remembered * maxKeys) takeOldest(forgotten)
      }
      return record.version
    },
    remove: (key) => {
      records?.delete(key)
      forgotten?.delete(key)
    },
    setAside: (key, version) => {
      if (records?.get(key)?.version === version) records.delete(key)
      if (forgotten?.get(key) === version) forgotten.delete(key)
    },
  }
}

const takeOldest = <A>(map: Map<string, A>): readonly [string, A] | undefined => {
  for (const entry of map) {
    map.delete(entry[0])
    return entry
  }
  return undefined
}
