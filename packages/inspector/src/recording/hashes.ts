/** Hashes of keys and owners, kept while they are asked for again and again: most events are of few sessions. */
import { keyHash } from "@sojourn/core/host"
import { hashedKey } from "@sojourn/core/inspect"

const mostKept = 8192

export class Hashes {
  readonly #sessions = new Map<string, string>()
  readonly #owners = new Map<string, string>()

  /** By its canonical key. */
  session(key: string): string {
    return kept(this.#sessions, key, () => hashedKey(key) ?? keyHash(key))
  }
  /** That of the owner's own session: the key that is only an owner. */
  owner(owner: string): string {
    return kept(this.#owners, owner, () => keyHash({ owner }))
  }
}

const kept = (map: Map<string, string>, key: string, make: () => string): string => {
  const known = map.get(key)
  if (known !== undefined) return known
  if (map.size >= mostKept) map.clear()
  const made = make()
  map.set(key, made)
  return made
}
