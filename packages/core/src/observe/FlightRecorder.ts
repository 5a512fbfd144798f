/**
 * The last facts of a session's life, to be read after something went wrong (L18). Only a session in which something
 * noteworthy has happened keeps a list; for all others the few facts there are can be told from what is kept anyway.
 */
import type { Registry } from "../registry/Registry.ts"
import type { CloseReason } from "../Sessions.ts"
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import { brief, harmless } from "./brief.ts"
import type { Explanation, SessionFact } from "./Explanation.ts"

const keptFacts = 64
/** Two facts each. */
const longestChain = keptFacts / 2

/** How a generation ended. Kept for a while after its session is forgotten. */
export interface RememberedEnd {
  readonly at: number
  readonly reason: CloseReason
  readonly leaked: boolean
  readonly generation: number
  readonly serial: number
  /** Epoch milliseconds; undefined: it never became ready. */
  readonly openedAt: number | undefined
  readonly errors: Explanation["errors"]
  /** All that is known up to this end, where it was written down; otherwise it is told from this end and those before. */
  readonly facts: ReadonlyArray<SessionFact> | undefined
  readonly before: RememberedEnd | undefined
  readonly chain: number
}

export class FlightRecorder {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** An ordinary step of life: kept where a list has begun. */
  note(generation: Generation, what: SessionFact["what"], detail?: string): void {
    if (generation.session.cold?.facts !== undefined) this.#add(generation, what, detail)
  }
  /** Something that somebody may ask about later; an error is kept in a few words. */
  trouble(generation: Generation, what: SessionFact["what"], error: unknown): void {
    const { session } = generation
    const cold = session.more
    cold.facts ??= [...this.history(session)]
    this.#add(generation, what, error === undefined ? undefined : harmless(brief(error)))
  }

  /** What is remembered of a generation that is gone. */
  endOf(generation: Generation, reason: CloseReason, leaked: boolean): RememberedEnd {
    const registry = this.#registry
    const { session } = generation
    if (leaked) this.trouble(generation, "Closed", detailOf(reason, leaked))
    else this.note(generation, "Closed", reason)
    const before = registry.ends.get(session.key)
    const facts = session.cold?.facts
    const own = facts !== undefined
    const end: RememberedEnd = {
      at: registry.time.epoch(),
      reason,
      leaked,
      generation: generation.number,
      serial: generation.serial,
      openedAt: generation.cold?.unopened === true ? undefined : registry.epochOf(generation.since),
      errors: session.cold?.errors ?? [],
      facts,
      before: own ? undefined : before,
      chain: own ? 0 : (before?.chain ?? 0) + 1,
    }
    // A long chain is written down, or it would grow with every life of the key.
    return end.chain <= longestChain ? end : { ...end, facts: factsUpTo(end), before: undefined, chain: 0 }
  }

  /** Oldest first. */
  history(session: Session): ReadonlyArray<SessionFact> {
    const { cold, generation } = session
    if (cold?.facts !== undefined) return cold.facts
    const end = this.#registry.ends.get(session.key)
    const before = end === undefined ? [] : factsUpTo(end)
    if (generation === undefined || generation.cold?.unopened === true) return before
    // Of a generation that is gone the end is remembered already.
    if (end?.serial === generation.serial) return before
    const since = this.#registry.epochOf(generation.since)
    const what = generation.phase === "opening" ? "Opening" : "Opened"
    // What an abandoned generation of an earlier stay has told may be younger.
    return [...before, fact(since, generation, what, undefined)]
      .toSorted((one, other) => one.at - other.at)
      .slice(-keptFacts)
  }

  #add(generation: Generation, what: SessionFact["what"], detail: string | undefined): void {
    const facts = (generation.session.more.facts ??= [])
    facts.push(fact(this.#registry.time.epoch(), generation, what, detail))
    if (facts.length > keptFacts) facts.shift()
  }
}

export const factsUpTo = (end: RememberedEnd): ReadonlyArray<SessionFact> => {
  if (end.facts !== undefined) return end.facts
  const facts = end.before === undefined ? [] : [...factsUpTo(end.before)]
  const { generation, serial } = end
  if (end.openedAt !== undefined)
    facts.push({ at: end.openedAt, generation, serial, what: "Opened", detail: undefined })
  facts.push({ at: end.at, generation, serial, what: "Closed", detail: detailOf(end.reason, end.leaked) })
  return facts.slice(-keptFacts)
}

const detailOf = (reason: CloseReason, leaked: boolean): string => (leaked ? `${reason}, leaked` : reason)

const fact = (
  at: number,
  generation: Generation,
  what: SessionFact["what"],
  detail: string | undefined,
): SessionFact => ({ at, generation: generation.number, serial: generation.serial, what, detail })
