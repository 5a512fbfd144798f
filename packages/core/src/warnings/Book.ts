/** Which warnings are raised now, which were lately, how many in all, and which are muted. */
import type { SessionRef } from "../SessionKey.ts"
import { Raised, type ActiveWarning, type Evidence } from "./ActiveWarning.ts"
import { warningCatalogue, warningDefinitions, type WarningName } from "./catalogue.ts"
import { kindOf } from "./thresholds.ts"

const keptChanges = 256
/** Of one kind, of one warning: what is beyond that is counted and not listed. */
const mostListed = 1000

export interface WarningChange {
  readonly what: "raised" | "cleared"
  /** Epoch milliseconds. */
  readonly at: number
  readonly warning: ActiveWarning
}
export interface Mute {
  readonly warning: WarningName
  /** Undefined: of every kind. */
  readonly kind: string | undefined
  /** Epoch milliseconds. */
  readonly until: number
}

/** Counts of one registry, or of the process. It also stands for whose a warning is, and holds nothing of it but the name. */
export class Tally {
  /** Undefined: the process. */
  readonly kind: string | undefined
  readonly active: Record<WarningName, number> = zeros()
  readonly activations: Record<WarningName, number> = zeros()
  readonly listed: Record<WarningName, number> = zeros()
  constructor(kind: string | undefined) {
    this.kind = kind
  }
}
const zeros = (): Record<WarningName, number> =>
  Object.fromEntries(warningDefinitions.map(({ name }) => [name, 0])) as Record<WarningName, number>

/** A change, and whose it is. */
export interface Told {
  readonly change: WarningChange
  readonly of: Tally
}

export class Book {
  readonly #epoch: () => number
  readonly #active = new Map<Raised, Tally>()
  readonly #recent: Array<Told> = []
  #mutes: ReadonlyArray<Mute & { readonly endsAt: number }> = []
  /** Changes since the last look, to be told after it. */
  #changes: Array<Told> = []
  /** Raised while they were muted. */
  readonly #unlogged = new Map<Raised, Tally>()

  constructor(epoch: () => number) {
    this.#epoch = epoch
  }

  /** Undefined: too many of them are listed already. */
  raise(
    tally: Tally,
    name: WarningName,
    session: SessionRef | undefined,
    task: ActiveWarning["task"],
    evidence: Evidence,
  ): Raised | undefined {
    tally.active[name]++
    tally.activations[name]++
    if (tally.listed[name] >= mostListed) return undefined
    tally.listed[name]++
    const raised = new Raised(
      warningCatalogue[name],
      tally.kind,
      session,
      task,
      evidence,
      this.#epoch(),
      this,
    )
    this.#active.set(raised, tally)
    this.#unlogged.set(raised, tally)
    this.#change("raised", raised, tally)
    return raised
  }
  /** `raised`: undefined where there were too many. */
  clear(tally: Tally, name: WarningName, raised: Raised | undefined): void {
    tally.active[name]--
    if (raised === undefined) return
    tally.listed[name]--
    this.#active.delete(raised)
    this.#unlogged.delete(raised)
    this.#change("cleared", raised, tally)
  }
  #change(what: WarningChange["what"], warning: Raised, of: Tally): void {
    const told = { change: { what, at: this.#epoch(), warning }, of }
    this.#recent.push(told)
    if (this.#recent.length > keptChanges) this.#recent.shift()
    this.#changes.push(told)
  }

  /** Oldest first. */
  active(): Iterable<readonly [ActiveWarning, Tally]> {
    return this.#active
  }
  /** Newest first. */
  recent(): ReadonlyArray<Told> {
    return this.#recent.toReversed()
  }
  takeChanges(): ReadonlyArray<Told> {
    return this.#changes.splice(0)
  }
  /** Raised, not muted, and not taken before: for the log. */
  takeUnlogged(): ReadonlyArray<readonly [ActiveWarning, Tally]> {
    if (this.#unlogged.size === 0) return []
    const taken = [...this.#unlogged].filter(([{ kind, name }]) => this.mutedUntil(name, kind) === undefined)
    for (const [raised] of taken) this.#unlogged.delete(raised)
    return taken
  }
  get mutes(): ReadonlyArray<Mute> {
    return this.#mutes.map(({ kind, until, warning }) => ({ warning, kind, until }))
  }
  /** `now`: monotonic milliseconds. The result ends it early. */
  mute(warning: WarningName, kind: string | undefined, ms: number, now: number): () => void {
    const mute = { warning, kind, until: this.#epoch() + ms, endsAt: now + ms }
    this.#mutes = [...this.#mutes, mute]
    return () => void (this.#mutes = this.#mutes.filter((other) => other !== mute))
  }
  /** Mutes whose time is over are gone. */
  expire(now: number): void {
    if (this.#mutes.some(({ endsAt }) => endsAt <= now))
      this.#mutes = this.#mutes.filter(({ endsAt }) => endsAt > now)
  }
  mutedUntil(name: WarningName, kind: string | undefined): number | undefined {
    let until: number | undefined
    for (const mute of this.#mutes) {
      if (mute.warning !== name) continue
      const matches = mute.kind === undefined || (kind !== undefined && kindOf(mute.kind) === kindOf(kind))
      if (matches && (until === undefined || mute.until > until)) until = mute.until
    }
    return until
  }
}
