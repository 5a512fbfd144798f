/** Keeps the breaker's books for one registry, and says whether a session may open now. */
import type { Registry } from "../registry/Registry.ts"
import { breakerWindow, firstPause, isOutage, pauseAfter, type Openings } from "./breaker.ts"
import type { Session } from "./Session.ts"

/** More different failures than this say nothing new. */
const mostCounted = 1_000

interface Window extends Openings {
  readonly failed: Set<string>
  succeeded: number
}
const nobody: ReadonlyArray<Session> = []
const emptyWindow = (): Window => ({ failed: new Set(), succeeded: 0 })

/** How long until an opening may be tried, in milliseconds, and what went wrong last. */
export interface OutageRefusal {
  readonly retryAfter: number
  readonly cause: unknown
}

/** While it is open. */
interface Outage {
  until: number
  trials: number
  trial: Session | undefined
  lastError: unknown
  /** To be rebuilt though nobody waits: they open when it is over. */
  readonly waiting: Set<Session>
}

export class OutageBreaker {
  readonly #registry: Registry
  #current = emptyWindow()
  #before = emptyWindow()
  #windowEnds = 0
  #outage: Outage | undefined
  constructor(registry: Registry) {
    this.#registry = registry
  }

  get isOpen(): boolean {
    return this.#outage !== undefined
  }
  /** Undefined: it may open. `session`: the one that would; undefined for a key without one. */
  refusal(session: Session | undefined, now: number): OutageRefusal | undefined {
    const outage = this.#outage
    if (outage === undefined || (outage.trial !== undefined && outage.trial === session)) return undefined
    if (outage.trial === undefined && now >= outage.until) return undefined
    // While one tries, nobody knows how long that takes.
    const least = outage.trial === undefined ? 1 : firstPause
    return { retryAfter: Math.max(least, outage.until - now), cause: outage.lastError }
  }
  /** It is about to open: if that is a trial, the only one. */
  tries(session: Session): void {
    if (this.#outage !== undefined) this.#outage.trial ??= session
  }
  keepWaiting(session: Session): void {
    this.#outage?.waiting.add(session)
  }
  /** Its opening was given up, or is not wanted any more: that says nothing about the backend. */
  givenUp(session: Session): void {
    if (this.#outage?.trial === session) this.#outage.trial = undefined
    this.#outage?.waiting.delete(session)
  }
  /** Who waited for that: of an outage that is over by it. */
  opened(session: Session, now: number): Iterable<Session> {
    if (this.#outage === undefined) {
      this.#turn(now)
      this.#current.succeeded++
      return nobody
    }
    const { trials, waiting } = this.#outage
    // One that had begun before the outage, or the trial: the backend is there again.
    this.#registry.events.warning("WarningCleared", session.ref, "Outage", { trials })
    this.#outage = undefined
    this.#current = emptyWindow()
    this.#before = emptyWindow()
    return waiting
  }
  failed(session: Session, now: number, error: unknown): void {
    this.#turn(now)
    if (this.#current.failed.size < mostCounted) this.#current.failed.add(session.owner ?? session.key)
    const registry = this.#registry
    const outage = this.#outage
    if (outage !== undefined) {
      outage.lastError = error
      if (outage.trial !== session) return
      outage.trial = undefined
      outage.until = now + pauseAfter(++outage.trials, registry.random())
    } else if (isOutage([this.#before, this.#current])) {
      const until = now + pauseAfter(0, registry.random())
      this.#outage = { until, trials: 0, trial: undefined, lastError: error, waiting: new Set() }
      // Who stands in line for a seat is told.
      registry.steps.dirty = true
      registry.events.warning("WarningRaised", session.ref, "Outage", {
        failed: this.#before.failed.size + this.#current.failed.size,
        succeeded: this.#before.succeeded + this.#current.succeeded,
      })
    }
  }
  #turn(now: number): void {
    if (now < this.#windowEnds) return
    this.#before = now < this.#windowEnds + breakerWindow ? this.#current : emptyWindow()
    this.#current = emptyWindow()
    this.#windowEnds = now + breakerWindow
  }
}
