/**
 * Keys are hostile input. This module turns any of them into a canonical text that is unique, has no separator a client
 * could forge, and has only characters that are safe in a file name: `a-z 0-9 - _ . = ~`, never starting with a dot. A
 * character outside of these takes three or six, so a long key of such characters may exceed the 255 that most file
 * systems allow. It is not a secret and not a credential.
 */
import { invalidKey } from "./errors.ts"

/**
 * Whose session, and which. A string when your own code chose it. `{ owner, id }` when any part came from outside:
 * `owner` is who asks (a verified subject), `id` which of theirs. No `id` reaches another owner's session. Empty parts,
 * or more than 512 characters in all: `SessionMisuse InvalidKey`.
 */
export type SessionKey = string | { readonly owner: string; readonly id?: string | undefined } | SessionRef

/** A session as data. */
export interface SessionRef {
  /** The registry's name. */
  readonly name: string
  /** Canonical text: unique, safe as a file name. Name files and rows after it, not after `id`, which another owner may use too. */
  readonly key: string
  /** The key's own id; the owner's name when the key is only an owner. */
  readonly id: string
  readonly owner: string | undefined
  /** 1, 2, 3 … within this stay, for people. 0: not opened yet. */
  readonly generation: number
  /** Unique in the registry, for fences. 0: not opened yet. */
  readonly serial: number
}

/** A key taken apart and written canonically: checked once, then handed on. */
export class ResolvedKey {
  readonly canonical: string
  readonly id: string
  readonly owner: string | undefined
  constructor(canonical: string, id: string, owner: string | undefined) {
    this.canonical = canonical
    this.id = id
    this.owner = owner
  }
  /** The canonical text of the string key is the string itself. */
  get plain(): boolean {
    return this.owner === undefined && this.canonical === this.id
  }
}

const maxLength = 512
const plain = /^[a-z0-9_-](?:[a-z0-9._-]*[a-z0-9_-])?$/
/** Device names that Windows takes even with an extension; the first letter is written out. */
const reserved = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/

/** Cheaper to ask than the whole pattern. */
const mayBeReserved = /^[acnlp]/

/**
 * Injective: `=hh` for other ASCII, `=uhhhh` for every other UTF-16 unit, so lone surrogates stay apart. Capital letters
 * are written out as well: file systems that ignore case would merge `Alice` with `alice`.
 */
const encodePart = (part: string): string => {
  if (plain.test(part) && !(mayBeReserved.test(part) && reserved.test(part))) return part
  let text = ""
  for (let index = 0; index < part.length; index++) {
    const unit = part.charCodeAt(index)
    const dotAtAnEnd = unit === 0x2e && (index === 0 || index === part.length - 1)
    const safe =
      (unit >= 0x61 && unit <= 0x7a) ||
      (unit >= 0x30 && unit <= 0x39) ||
      unit === 0x2d ||
      unit === 0x5f ||
      unit === 0x2e
    if (safe && !dotAtAnEnd && !(index === 0 && reserved.test(part))) text += part[index]
    else if (unit < 0x80) text += `=${unit.toString(16).padStart(2, "0")}`
    else text += `=u${unit.toString(16).padStart(4, "0")}`
  }
  return text
}

const part = (value: unknown, what: string, used: number): string => {
  if (typeof value !== "string")
    throw invalidKey(`${what} must be a string, got ${value === null ? "null" : typeof value}`)
  if (value.length === 0) throw invalidKey(`${what} is empty`)
  if (used + value.length > maxLength) {
    throw invalidKey(`the key has ${used + value.length} characters, at most ${maxLength} are allowed`)
  }
  return value
}

/**
 * The last key of each of some owners: who comes again mostly means the same session, and writing a key canonically, and
 * hashing the new text, costs more than all else that finds a session.
 */
const lastOf = new Map<string, LastKey>()
class LastKey {
  readonly id: string | undefined
  readonly key: ResolvedKey
  constructor(id: string | undefined, key: ResolvedKey) {
    this.id = id
    this.key = key
  }
}
const mostOwners = 4096
/** Longer ones would make it large, and are rare. */
const longestLast = 128

const owned = (owner: string, id: string | undefined): ResolvedKey => {
  const last = lastOf.get(owner)
  if (last !== undefined && last.id === id) return last.key
  const key = written(owner, id)
  if (key.canonical.length <= longestLast) {
    if (last === undefined && lastOf.size >= mostOwners) lastOf.clear()
    lastOf.set(owner, new LastKey(id, key))
  }
  return key
}
const written = (owner: string, id: string | undefined): ResolvedKey =>
  id === undefined
    ? new ResolvedKey(`${encodePart(owner)}~`, owner, owner)
    : new ResolvedKey(`${encodePart(owner)}~${encodePart(id)}`, id, owner)
const unowned = (id: string): ResolvedKey => new ResolvedKey(encodePart(id), id, undefined)

/** @throws SessionMisuse InvalidKey */
export const resolveKey = (key: SessionKey | ResolvedKey): ResolvedKey => {
  if (typeof key === "string") return unowned(part(key, "the key", 0))
  if (key instanceof ResolvedKey) return key
  if (typeof key !== "object" || key === null) {
    throw invalidKey(
      `a key is a string, { owner, id } or a session's ref, got ${key === null ? "null" : typeof key}`,
    )
  }
  if ("key" in key && "serial" in key) {
    // A ref is believed only as far as its own parts say the same.
    const id = part(key.id, "the ref's id", 0)
    const candidates: ReadonlyArray<ResolvedKey> =
      key.owner === undefined
        ? [unowned(id)]
        : [owned(part(key.owner, "the ref's owner", 0), id), owned(key.owner, undefined)]
    const match = candidates.find((candidate) => candidate.canonical === key.key)
    if (match === undefined) throw invalidKey("this ref's parts do not belong together")
    if (match.owner !== undefined && match.canonical !== candidates[1]?.canonical)
      part(id, "the ref's id", match.owner.length)
    return match
  }
  const owner = part(key.owner, "owner", 0)
  return owned(owner, key.id === undefined ? undefined : part(key.id, "id", owner.length))
}
