/**
 * What sessions are called on the wire: the hash of the key, and what the host shows for it. Both are worked out for rows that
 * are sent, and kept, so that a hash that comes back is found again. Keys themselves stay here.
 */
import type { SessionRef } from "@sojourn/core"
import { keyHash } from "@sojourn/core/host"
import { hashedKey, type Inspection, type LiveSession } from "@sojourn/core/inspect"
import { bounds } from "../protocol/words.ts"
import { cleaned, type Secret } from "../safety/text.ts"
import { refOfKey } from "./refOfKey.ts"

export type Show = (session: SessionRef) => string

/** A session as it is called. */
export class Named implements Secret {
  readonly key: string
  readonly id: string
  readonly owner: string | undefined
  readonly hash: string
  readonly shown: string | undefined
  #sought: string | undefined
  constructor(ref: SessionRef, hash: string, shown: string | undefined) {
    this.key = ref.key
    this.id = ref.id
    this.owner = ref.owner
    this.hash = hash
    this.shown = shown
  }
  /** What a search looks in. */
  get sought(): string {
    return (this.#sought ??= (this.shown ?? "").toLowerCase())
  }
}

interface OfKind {
  readonly byKey: Map<string, Named>
  readonly byHash: Map<string, Named>
}

/** Names are kept of this many sessions, and twice of those that live; beyond, all are worked out anew. */
const alwaysKept = 2000
const mostKept = 200_000
/** Milliseconds of one look that a search may work out names for. */
const searchTime = 4
/** Milliseconds between two pauses of a scan for a hash. */
const scanTime = 2

export class Names {
  readonly #show: Show | undefined
  readonly #kinds = new Map<string, OfKind>()
  readonly #orders = new Map<string, Array<Named>>()
  readonly #scans = new Map<string, Promise<void>>()
  #size = 0
  readonly #live: () => number
  /** `live`: how many sessions there are. */
  constructor(show: Show | undefined, live: () => number) {
    this.#show = show
    this.#live = live
  }
  get shows(): boolean {
    return this.#show !== undefined
  }
  get size(): number {
    return this.#size
  }

  of(kind: string, session: LiveSession): Named {
    return this.#kept(kind, session.key) ?? this.#add(kind, session.ref)
  }
  ofRef(kind: string, ref: SessionRef): Named {
    return this.#kept(kind, ref.key) ?? this.#add(kind, ref)
  }
  ofKey(kind: string, key: string): Named {
    return this.#kept(kind, key) ?? this.#add(kind, refOfKey(kind, key))
  }
  known(kind: string, hash: string): Named | undefined {
    return this.#kinds.get(kind)?.byHash.get(hash)
  }
  /** Looks through all of its sessions where the hash is not known yet, a little at a time. */
  async find(inspection: Inspection, hash: string): Promise<Named | undefined> {
    const { name } = inspection
    const known = this.known(name, hash)
    if (known !== undefined) return known
    // One scan serves all who wait; who came while it ran may look for a session that is newer.
    await this.#scans.get(name)
    if (this.known(name, hash) === undefined) {
      const scan = this.#scan(inspection).finally(() => this.#scans.delete(name))
      this.#scans.set(name, scan)
      await scan
    }
    return this.known(name, hash)
  }
  /** When nobody looks any more: what is kept for a search is let go. */
  forget(): void {
    this.#orders.clear()
    if (this.#size <= 4 * bounds.limit) return
    this.#kinds.clear()
    this.#size = 0
  }
  search(text: string): Search {
    return new Search(this, text)
  }
  /** For searches: whatever they want to find again. */
  orderOf(kind: string): Array<Named> {
    let order = this.#orders.get(kind)
    if (order === undefined) this.#orders.set(kind, (order = []))
    if (order.length > 2 * (this.#kinds.get(kind)?.byKey.size ?? 0)) order.length = 0
    return order
  }
  /** Those that were worked out, by their keys. */
  keptOf(kind: string): ReadonlyMap<string, Named> | undefined {
    return this.#kinds.get(kind)?.byKey
  }

  async #scan(inspection: Inspection): Promise<void> {
    const { name } = inspection
    const refs: Array<SessionRef> = []
    inspection.each((session) => {
      if (this.#kept(name, session.key) === undefined) refs.push(session.ref)
    })
    let until = performance.now() + scanTime
    for (const ref of refs) {
      if (performance.now() > until) {
        await new Promise((resolve) => setTimeout(resolve))
        until = performance.now() + scanTime
      }
      this.#add(name, ref)
    }
  }
  #kept(kind: string, key: string): Named | undefined {
    return this.#kinds.get(kind)?.byKey.get(key)
  }
  #add(kind: string, ref: SessionRef): Named {
    if (this.#size >= alwaysKept && this.#size >= Math.min(mostKept, alwaysKept + 2 * this.#live())) {
      this.#kinds.clear()
      this.#orders.clear()
      this.#size = 0
    }
    let ofKind = this.#kinds.get(kind)
    if (ofKind === undefined) {
      ofKind = { byKey: new Map(), byHash: new Map() }
      this.#kinds.set(kind, ofKind)
    }
    const named = new Named(ref, hashedKey(ref.key) ?? keyHash(ref), this.#shown(ref))
    ofKind.byKey.set(named.key, named)
    ofKind.byHash.set(named.hash, named)
    this.#size++
    return named
  }
  /** The host's own words, which may fail and may be anything. */
  #shown(ref: SessionRef): string | undefined {
    if (this.#show === undefined) return undefined
    try {
      const shown: unknown = this.#show(ref)
      if (typeof shown === "string") return cleaned(shown, bounds.shown)
      // A promise that nobody waits for must not end the process.
      if (shown instanceof Promise) shown.catch(() => {})
      return undefined
    } catch {
      return undefined
    }
  }
}

/** One search by text, within one look. */
export class Search {
  readonly #names: Names
  readonly #text: string
  readonly #isHash: boolean
  /** Milliseconds left to work out names. */
  #left = searchTime
  #kind: string | undefined
  #kept: ReadonlyMap<string, Named> | undefined
  /** As they came in the last search: they come in the same order nearly always, and need not be looked up. */
  #order: Array<Named> = []
  #at = 0
  /** Sessions that the time did not suffice for. */
  unsearched = 0
  constructor(names: Names, text: string) {
    this.#names = names
    this.#text = text.toLowerCase()
    this.#isHash = /^[0-9a-f]{4,16}$/.test(this.#text)
  }
  finds(kind: string, session: LiveSession): boolean {
    if (!this.#isHash && !this.#names.shows) return false
    if (kind !== this.#kind) {
      this.#kind = kind
      this.#kept = this.#names.keptOf(kind)
      this.#order = this.#names.orderOf(kind)
      this.#at = 0
    }
    const { key } = session
    const at = this.#at++
    const there = this.#order[at]
    const named = there?.key === key ? there : (this.#kept?.get(key) ?? this.#workOut(kind, session))
    if (named !== there && named !== undefined) this.#order[at] = named
    if (named === undefined) {
      this.unsearched++
      return false
    }
    return (this.#isHash && named.hash.startsWith(this.#text)) || named.sought.includes(this.#text)
  }
  #workOut(kind: string, session: LiveSession): Named | undefined {
    if (this.#left <= 0) return undefined
    const began = performance.now()
    const named = this.#names.of(kind, session)
    this.#left -= performance.now() - began
    return named
  }
  findsIn(text: string | undefined): boolean {
    return text !== undefined && text.toLowerCase().includes(this.#text)
  }
}
