/** What everybody in a round shares: who writes down, who decides, and what there is to use. */
import type { Opening, SessionKey, Sessions, SessionStore } from "@sojourn/core"
import type { Book } from "../book/Book.ts"
import type { Life, SiteRecord } from "../book/types.ts"
import type { Tally } from "../faults.ts"
import type { Gates } from "../Gates.ts"
import type { Random } from "../random.ts"
import type { HandIn } from "../users/plans.ts"
import type { Children } from "./children.ts"
import type { EchoServer } from "./EchoServer.ts"

/** What every kind of session gives to its tasks. */
export interface Resource {
  readonly life: Life
  readonly opening: Opening
  /** Only this resource can answer it rightly. Rejects when it is lost, or with the signal's reason. */
  readonly ask: (text: string, signal: AbortSignal) => Promise<string>
  /** Hurts it in a way of its own; what it says itself is up to it. */
  readonly harm: () => void
}

export interface Site {
  readonly record: SiteRecord
  readonly kind: KindName
  readonly sessions: Sessions<Resource>
  readonly keys: ReadonlyArray<SessionKey>
  /** Open, and not released as far as their finalizers know. */
  readonly live: Set<Resource>
  /** How often each key was opened: which plan the next opening follows. */
  readonly openings: Map<string, number>
  drainAsked: boolean
  /** No session of it can be opened before this moment. */
  outageUntil: number
  readonly watchesHeap: boolean
}

export type KindName = "memory" | "child" | "socket" | "database"

export interface Scene {
  readonly book: Book
  readonly random: Random
  readonly tally: Tally
  readonly gates: Gates
  /** Where sessions save, by the name their registries know it by; "own": each registry its own. */
  readonly stores: ReadonlyMap<string, SessionStore>
  readonly children: Children
  readonly server: EchoServer
  /** The registries that take new work; replaced when one is drained. */
  readonly sites: Array<Site>
  /** Those that have been drained, or are about to. */
  readonly former: Array<Site>
  readonly handIn: HandIn
  /** Databases that may still be opened in this round. */
  databases: number
}
