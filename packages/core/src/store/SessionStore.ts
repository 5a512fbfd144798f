/** What a store of saved sessions has to be. The engine decides when to load, save and set aside; a store only keeps. */

/** One record. `state` is what `save` gave; `version` is the store's own word for this very record, never used again. */
export interface Stored {
  readonly state: unknown
  readonly version: string
  /**
   * The record is there and cannot be used: torn or altered (`"Corrupt"`), or written by a later release of the store
   * (`"Newer"`). `state` is undefined then; the session opens without it and the record is set aside.
   */
  readonly unreadable?: "Corrupt" | "Newer" | undefined
}

/**
 * Keeps what sessions save for their next life, by compare-and-set: of two writers that read the same version only one
 * succeeds, so no acknowledged state is ever lost to a blind write (L25). Keys are canonical texts (see `SessionRef.key`):
 * unique within one registry, but chosen by others, so a store must not trust their length or their characters. They do
 * not name the registry: two registries that share a store share its records.
 *
 * Any of the four may answer at once or with a promise, and may throw or reject: a failed `load` fails the opening, a
 * failed `save` is noted and the last state stays. Calls for one key may overlap.
 */
export interface SessionStore {
  readonly load: (key: string) => Stored | undefined | PromiseLike<Stored | undefined>
  /**
   * The new version; undefined when `version` (undefined: none yet) is no longer the stored one, and nothing was written.
   * `state` is the caller's: it may change once `save` has returned, its promise notwithstanding. An unreadable record
   * has a version too, and is replaced like any other.
   */
  readonly save: (
    key: string,
    state: unknown,
    version: string | undefined,
  ) => string | undefined | PromiseLike<string | undefined>
  /** Forgets the key, whatever is stored; nothing when nothing is. */
  readonly remove: (key: string) => unknown
  /**
   * Moves that version out of the way and keeps it for people to look at; the next `load` finds nothing. Nothing happens
   * when another version is stored by now. A store without it keeps the record until the next `save` replaces it.
   */
  readonly setAside?: ((key: string, version: string) => unknown) | undefined
}
