/** A round, arranged for the rules: what happened under each key, and what was heard of each generation. */
import type { CloseReason, SessionEvent } from "@sojourn/core"
import { place } from "../book/names.ts"
import type { Ask, Call, Heard, Life, Moment, Round, SiteRecord, StoreOp, Violation } from "../book/types.ts"

/** What was heard of one generation. */
export interface HeardLife {
  closed: (Heard & { readonly event: Extract<SessionEvent, { _tag: "Closed" }> }) | undefined
  leakEnded: Heard | undefined
  closing: Moment | undefined
}
/** Everything under one key of one registry. */
export interface KeyFacts {
  readonly site: SiteRecord
  readonly key: string
  readonly calls: Array<Call>
  readonly lives: Array<Life>
  readonly asks: Array<Ask>
  /** Closings as they were told. */
  readonly closings: Array<{ readonly moment: Moment; readonly reason: CloseReason }>
  /** What was lost or could not be opened, as the events say. */
  readonly causes: Set<unknown>
}

export class Facts {
  readonly round: Round
  readonly keys = new Map<string, KeyFacts>()
  /** Registries that refused to open anything for a while, and all that could not be opened. */
  readonly outages = new Set<SiteRecord>()
  readonly failures = new Map<SiteRecord, Set<unknown>>()
  readonly drains = new Map<SiteRecord, Array<Ask>>()
  readonly #heard = new Map<SiteRecord, Map<number, HeardLife>>()
  readonly #storeOps: ReadonlyMap<string, ReadonlyArray<StoreOp>>
  readonly #bodies = new Map<Life, Array<{ readonly call: Call; readonly nth: number }>>()

  constructor(round: Round) {
    this.round = round
    this.#storeOps = Map.groupBy(round.storeOps, ({ key, store }) => `${store} ${key}`)
    for (const call of round.calls) {
      this.of(call.site, call.key).calls.push(call)
      call.starts.forEach(({ life }, nth) => this.#bodiesOf(life).push({ call, nth }))
    }
    for (const life of round.lives) this.of(life.site, life.key).lives.push(life)
    for (const ask of round.asks) {
      if (ask.verb === "drain") this.drains.set(ask.site, [...this.drainsOf(ask.site), ask])
      else this.of(ask.site, ask.key).asks.push(ask)
    }
    for (const site of round.sites) for (const heard of site.heard) this.#hear(site, heard)
  }

  of(site: SiteRecord, key: string): KeyFacts {
    const name = place(site, key)
    let facts = this.keys.get(name)
    if (facts === undefined)
      this.keys.set(
        name,
        (facts = { site, key, calls: [], lives: [], asks: [], closings: [], causes: new Set() }),
      )
    return facts
  }
  drainsOf(site: SiteRecord): ReadonlyArray<Ask> {
    return this.drains.get(site) ?? []
  }
  heardOf(life: Life): HeardLife {
    return this.#heardLife(life.site, life.serial)
  }
  /** What the store of its registry was asked about its key, whoever asked. */
  storeOpsOf(life: Life): ReadonlyArray<StoreOp> {
    return this.#storeOps.get(`${life.site.store} ${life.key}`) ?? []
  }
  /** Each run of a body on it. */
  bodiesOf(life: Life): ReadonlyArray<{ readonly call: Call; readonly nth: number }> {
    return this.#bodiesOf(life)
  }
  #failed(site: SiteRecord, error: unknown): void {
    const failures = this.failures.get(site)
    if (failures === undefined) this.failures.set(site, new Set([error]))
    else failures.add(error)
  }
  #bodiesOf(life: Life): Array<{ readonly call: Call; readonly nth: number }> {
    let bodies = this.#bodies.get(life)
    if (bodies === undefined) this.#bodies.set(life, (bodies = []))
    return bodies
  }
  #heardLife(site: SiteRecord, serial: number): HeardLife {
    let lives = this.#heard.get(site)
    if (lives === undefined) this.#heard.set(site, (lives = new Map()))
    let heard = lives.get(serial)
    if (heard === undefined)
      lives.set(serial, (heard = { closed: undefined, leakEnded: undefined, closing: undefined }))
    return heard
  }
  #hear(site: SiteRecord, { event, moment }: Heard): void {
    if (event._tag === "Closing" || event._tag === "Closed")
      this.of(site, event.session.key).closings.push({ moment, reason: event.reason })
    if (event._tag === "Closed") this.#heardLife(site, event.session.serial).closed = { event, moment }
    else if (event._tag === "LeakEnded")
      this.#heardLife(site, event.session.serial).leakEnded = { event, moment }
    else if (event._tag === "Closing") this.#heardLife(site, event.session.serial).closing = moment
    else if (event._tag === "Lost") this.of(site, event.session.key).causes.add(event.cause)
    else if (event._tag === "OpenFailed") {
      this.of(site, event.session.key).causes.add(event.error)
      this.#failed(site, event.error)
    } else if (event._tag === "WarningRaised" && event.warning === "Outage") this.outages.add(site)
  }
}

/** A rule: what it found, each with what it is about. */
export type Found = Iterable<{ readonly what: string; readonly about?: string | undefined }>
export type Rule = (facts: Facts) => Found

export const violations = (rule: string, found: Found): ReadonlyArray<Violation> =>
  [...found].map(({ about, what }) => ({ rule, what, about }))
