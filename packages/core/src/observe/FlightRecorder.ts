/**
 * The last facts of a session's life, to be read after something went wrong (L18). Only a session in which something
 * noteworthy has happened keeps a list; for all others the few facts there are can be told from what is kept anyway.
 */
import type { Registry } from "../registry/Registry.ts"
import type { CloseReason } from "../Sessions.ts"
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import { brief, harmless } from "./brief.ts"
import type { SessionFact } from "./Explanation.ts"

const keptFacts = 64

export class FlightRecorder {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** An ordinary step of life: kept where a list has begun. */
  note(generation: Generation, what: SessionFact["what"], detail?: string): void {
    if (generation.session.cold?.facts !== undefined) this.#add(generation, what, detail)
  }
  /** Something that somebody may ask about later; `error` is kept in a few words. */
  trouble(generation: Generation, what: SessionFact["what"], error: unknown): void {
    const { session } = generation
    const cold = session.more
    cold.facts ??= [...this.history(session)]
    this.#add(generation, what, error === undefined ? undefined : harmless(brief(error)))
  }
  /** What is remembered of a generation that is gone. */
  closed(generation: Generation, reason: CloseReason, leaked: boolean): ReadonlyArray<SessionFact> {
    const { session } = generation
    const detail = leaked ? `${reason}, leaked` : reason
    if (leaked) this.trouble(generation, "Closed", detail)
    else this.note(generation, "Closed", detail)
    if (session.cold?.facts !== undefined) return session.cold.facts
    const facts = [...this.history(session), fact(this.#registry.time.epoch(), generation, "Closed", detail)]
    return facts.slice(-keptFacts)
  }
  /** Oldest first. */
  history(session: Session): ReadonlyArray<SessionFact> {
    const { cold, generation } = session
    if (cold?.facts !== undefined) return cold.facts
    const before = this.#registry.ends.get(session.key)?.facts ?? []
    if (generation === undefined || generation.cold?.unopened === true) return before
    const last = before.at(-1)
    if (last?.serial === generation.serial && last.what === "Closed") return before
    const since = this.#registry.epochOf(generation.since)
    return [
      ...before,
      fact(since, generation, generation.phase === "opening" ? "Opening" : "Opened", undefined),
    ]
  }

  #add(generation: Generation, what: SessionFact["what"], detail: string | undefined): void {
    const facts = (generation.session.more.facts ??= [])
    facts.push(fact(this.#registry.time.epoch(), generation, what, detail))
    if (facts.length > keptFacts) facts.shift()
  }
}

const fact = (
  at: number,
  generation: Generation,
  what: SessionFact["what"],
  detail: string | undefined,
): SessionFact => ({ at, generation: generation.number, serial: generation.serial, what, detail })
