/** A store of saved sessions over Effect's `KeyValueStore`: wherever an application keeps its data. */
import * as Effect from "effect/Effect"
import type { KeyValueStore, KeyValueStoreError } from "effect/persistence/KeyValueStore"
import type { Options } from "../SessionOptions.ts"
import { resolveNames } from "../options.ts"
import { checkedMaxBytes, checkedText, checkState } from "./checkState.ts"
import { inOrder } from "./inOrder.ts"
import type { SessionStore } from "./SessionStore.ts"
import { jsonOf } from "./stateText.ts"
import { readRecord, sha256, versionOf, writeRecord } from "./textRecord.ts"

export type KeyValueStoreOptions = Options<{
  /** What the names of all records begin with. One for each kind of session. "sojourn:". */
  readonly prefix: string
  /** The largest state that is taken, in bytes, roughly; text counts 2 for a character. 1 MiB; 1. */
  readonly maxBytes: number
}>

/** The end of the name of what was set aside; no session's name has a `!` there. */
const asideEnd = "!set-aside"
/** Columns and file names have limits. A longer key goes by its hash. */
const longestName = 120
const plain = /^[a-z0-9._=~-]+$/

/**
 * Keeps states in a `KeyValueStore`, as JSON texts that can be read, and extended without loss for what JSON cannot say: a
 * state comes back as `structuredClone` would give it.
 *
 * Compare-and-set holds among all who use this one object. Among several processes it holds as far as the `modify` of the
 * key-value store is atomic, and **never for the first save of a key or for `setAside`**, which are a look and a write. The
 * stores that come with Effect have no atomic `modify`. What is promised when the process or the machine dies is what the
 * key-value store promises; a text that was cut off is `"Corrupt"`.
 *
 * A record's name is `prefix` and the key, or a hash of a key over 120 characters. What is set aside is kept under that
 * name with `!set-aside` behind it, the last one for each key. Errors have the key-value store's own as `cause`, which may
 * name the key.
 *
 * In Effect: `Effect.map(KeyValueStore, (kv) => keyValueStore(kv))`.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const keyValueStore = (kv: KeyValueStore, options: KeyValueStoreOptions = {}): SessionStore => {
  resolveNames(options, ["prefix", "maxBytes"])
  const prefix = checkedText("prefix", options.prefix, "sojourn:")
  const maxBytes = checkedMaxBytes(options.maxBytes)
  const ordered = inOrder()
  const nameOf = async (key: string): Promise<string> =>
    prefix + (key.length <= longestName && plain.test(key) ? key : `!${await sha256(key)}`)

  return {
    load: async (key) => {
      const text = await run("load", kv.get(await nameOf(key)))
      return text === undefined ? undefined : readRecord(key, text)
    },
    save: async (key, state, version) => {
      checkState(state, maxBytes, "own")
      // Now and not after the first wait: the state may change.
      const next = crypto.randomUUID()
      const text = writeRecord(key, next, jsonOf(state))
      return ordered(key, async () => {
        const name = await nameOf(key)
        const before = await run("save", kv.get(name))
        if (version !== (before === undefined ? undefined : await versionOf(key, before))) return undefined
        if (before === undefined) await run("save", kv.set(name, text))
        else if (!(await exchange(kv, name, before, text))) return undefined
        return next
      })
    },
    remove: (key) => ordered(key, async () => run("remove", kv.remove(await nameOf(key)))),
    setAside: (key, version) =>
      ordered(key, async () => {
        const name = await nameOf(key)
        const text = await run("set aside", kv.get(name))
        if (text === undefined || version !== (await versionOf(key, text))) return
        await run("set aside", kv.set(name + asideEnd, text))
        await run("set aside", kv.remove(name))
      }),
  }
}

/**
 * Through `modify`, which some key-value stores make atomic. If the text is another by now, `modify` is left by a throw: to
 * give back the text it showed would be a write, and where `modify` is not atomic a blind one.
 */
const exchange = async (kv: KeyValueStore, name: string, before: string, after: string): Promise<boolean> => {
  let same = true
  const modify = kv.modify(name, (current) => {
    same = current === before
    if (!same) throw new Error("changed meanwhile")
    return after
  })
  try {
    return (await run("save", modify)) !== undefined
  } catch (error) {
    if (!same) return false
    throw error
  }
}

const run = async <A>(what: string, effect: Effect.Effect<A, KeyValueStoreError>): Promise<A> => {
  try {
    return await Effect.runPromise(effect)
  } catch (cause) {
    throw new Error(`The key-value store could not ${what} a session's state.`, { cause })
  }
}
