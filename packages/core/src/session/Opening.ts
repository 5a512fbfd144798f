/** Building a generation: single flight (L1), told to stop when nobody waits, its failure told and forgotten (L10). */
import { runClean } from "../context.ts"
import { SessionOpenFailed } from "../errors.ts"
import type { CloseReason } from "../Sessions.ts"
import type { OpeningOutcome } from "../observe/Inspection.ts"
import { openingEnded } from "../observe/Tracing.ts"
import type { Registry } from "../registry/Registry.ts"
import { SlowOpenings } from "../setup/slowOpenings.ts"
import { Frame } from "../task/Frame.ts"
import { Generation } from "./Generation.ts"
import type { OutageRefusal } from "./OutageBreaker.ts"
import { delayAfterFailedOpen, quarantineFor, stableAfter } from "./restartPolicy.ts"
import type { Session } from "./Session.ts"
import { abortSignal } from "./signal.ts"

/** From telling an opening to stop until its finalizers run although it has not ended. */
const openGrace = 5_000

export class Opening {
  readonly #registry: Registry
  /** Sessions that have a seat and wait to open again. */
  backingOff = 0
  readonly #slow = new SlowOpenings()
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Has a seat: opens now, or when the back-off is over. */
  schedule(session: Session): void {
    const registry = this.#registry
    const wait = (session.cold?.retryAt ?? 0) - registry.time.now()
    if (wait <= 0) return this.#open(session)
    this.#backOff(session, wait)
  }
  #backOff(session: Session, wait: number): void {
    const registry = this.#registry
    if (session.state !== "Backoff") registry.setState(session, "Backoff")
    this.backingOff++
    session.more.backoff = registry.timetable.at("backoff", wait, () => {
      if (session.state === "Backoff") this.#afterBackOff(session)
    })
  }
  #afterBackOff(session: Session): void {
    if (this.#registry.seats.shut === undefined) this.#open(session)
    else this.#backInLine(session)
  }

  /** Its seat does not help while nothing may be opened: the heap is full, or too many have leaked. */
  #backInLine(session: Session): void {
    const { seats, waiters } = this.#registry
    if (session.waiting === 0) return waiters.rest(session)
    this.backingOff--
    seats.release(session)
    seats.join(session)
  }

  #open(session: Session): void {
    const registry = this.#registry
    const now = registry.time.now()
    const refusal = registry.breaker.refusal(session, now)
    if (refusal !== undefined) return this.notNow(session, refusal)
    registry.breaker.tries(session)
    if (session.state === "Backoff") this.backingOff--
    const generation = new Generation(session, registry.nextSerial(), ++session.generations, now)
    session.generation = generation
    registry.setState(session, "Opening")
    registry.closing.inService++
    const cold = generation.more
    cold.openFrame = new Frame("open", session, undefined, undefined)
    if (registry.tracing !== undefined)
      cold.openFrame.trace = cold.openTrace = registry.tracing.opening(generation)
    cold.openPending = true
    cold.openDeadline = registry.timetable.at("open", registry.policy.timeouts.open, () => {
      if (generation.phase === "opening") this.#failed(generation, "TimedOut", undefined, true)
    })
    registry.recorder.note(generation, "Opening")
    registry.events.lifecycle((stamp) => ({ _tag: "Opening", session: generation.ref, ...stamp }))
    registry.steps.after(() => runClean(() => this.#load(generation), cold.openFrame))
  }
  #load(generation: Generation): void {
    const { driver, saving } = this.#registry
    saving.load(
      generation,
      () => {
        // Given up while the store was asked: users' code has not begun.
        if (generation.phase !== "opening") return this.settled(generation, false, undefined)
        try {
          driver.open(generation)
        } catch (error) {
          // A driver tells what users' code throws: this is a mistake of ours.
          this.#registry.defect(error, generation.session)
          this.settled(generation, false, error)
        }
      },
      (error) => this.settled(generation, false, error),
    )
  }

  /** Too many openings fail: whoever waits is told, and nothing is held against the key. */
  notNow(session: Session, refusal: OutageRefusal): void {
    const registry = this.#registry
    const error = this.outageError(session, refusal)
    registry.waiters.refuseAll(session, (task) => registry.answers.openFailed(task, error))
    // One that stood in line has no seat to wait with.
    if (session.cold?.eager !== true || !session.seated) return registry.waiters.rest(session)
    registry.breaker.keepWaiting(session)
    if (session.state === "Backoff") this.backingOff--
    this.#backOff(session, refusal.retryAfter)
  }
  /** The outage is over: who only waited for that opens. */
  #goOn(sessions: Iterable<Session>): void {
    for (const session of sessions) {
      if (session.state !== "Backoff") continue
      this.#registry.timetable.drop(session.cold?.backoff)
      this.#afterBackOff(session)
    }
  }
  outageError(session: Session, { cause, retryAfter }: OutageRefusal): SessionOpenFailed {
    return new SessionOpenFailed({
      reason: "Failed",
      message:
        "Many sessions could not be opened lately, so for a moment no further ones are tried: see `cause` for the last failure.",
      cause,
      session: session.ref,
      retryAfter: Math.ceil(retryAfter),
      explain: this.#registry.answers.explainLater(session),
    })
  }

  /** The user's open has ended: with the resource, or with what it threw. */
  settled(generation: Generation, opened: boolean, value: unknown): void {
    const registry = this.#registry
    try {
      this.#settled(generation, opened, value)
    } catch (error) {
      const told = registry.defect(error, generation.session)
      registry.waiters.refuseAll(generation.session, (task) => {
        registry.waiters.leave(task)
        registry.answers.tell(task, "rejected", told)
      })
    }
    registry.steps.commit()
  }
  #settled(generation: Generation, opened: boolean, value: unknown): void {
    const registry = this.#registry
    const cold = generation.more
    if (!cold.openPending) return
    cold.openPending = false
    cold.openFrame?.end()
    if (generation.phase === "opening") {
      registry.timetable.drop(cold.openDeadline)
      if (!opened) this.#failed(generation, "Failed", value, false)
      else if (cold.lostEarly !== undefined) this.#failed(generation, "Failed", cold.lostEarly.cause, false)
      else this.#live(generation, value)
    } else if (generation.phase === "aborting") {
      // Told to stop: never served, even if it succeeded and somebody waits again (L1).
      registry.timetable.drop(cold.openGrace)
      registry.closing.finalize(generation)
    } else registry.closing.workEnded(generation)
  }

  #live(generation: Generation, resource: unknown): void {
    const registry = this.#registry
    const { session } = generation
    const now = registry.time.now()
    const openedAfter = now - generation.since
    generation.phase = "live"
    generation.resource = resource
    generation.since = now
    this.#traced(generation, "succeeded")
    registry.setState(session, "Ready")
    if (session.cold !== undefined) this.#settleDown(session, generation)
    registry.recycling.begin(generation)
    const { cold } = generation
    if (cold !== undefined) {
      if (cold.probe !== undefined) registry.probes.begin(generation)
      cold.restored = undefined
      cold.openFrame = undefined
      cold.openDeadline = undefined
      // An idle session must not carry what only its opening needed.
      if (cold.isEmpty) generation.cold = undefined
    }
    this.#goOn(registry.breaker.opened(session, now))
    registry.monitor.opened(generation, openedAfter)
    registry.monitor.acquired(session, now)
    this.#slow.opened(registry.name, openedAfter, registry.policy.idleTimeout)
    registry.recorder.note(generation, "Opened")
    registry.events.lifecycle((stamp) => ({
      _tag: "Opened",
      session: generation.ref,
      durationMs: openedAfter,
      ...stamp,
    }))
    registry.probes.pump(generation, now)
  }
  /** Good health clears what was held against the key. */
  #settleDown(session: Session, generation: Generation): void {
    const registry = this.#registry
    session.more.attempt = 0
    session.more.failedRestores = 0
    session.more.retryAt = 0
    generation.more.stable = registry.timetable.at("forget", stableAfter(registry.policy.restart), () => {
      if (session.generation !== generation || generation.phase !== "live" || session.cold === undefined)
        return
      session.cold.failures = []
      session.cold.coolDowns = 0
      session.cold.trial = false
      session.cold.until = 0
      generation.more.stable = undefined
    })
  }

  #failed(generation: Generation, reason: "Failed" | "TimedOut", cause: unknown, abort: boolean): void {
    const registry = this.#registry
    const { session } = generation
    const cold = session.more
    const now = registry.time.now()
    cold.attempt++
    if (generation.cold?.restored?.read === true) cold.failedRestores++
    cold.retryAt = now + delayAfterFailedOpen(registry.policy.restart, cold.attempt, registry.random())
    const error = new SessionOpenFailed({
      reason,
      cause,
      session: generation.ref,
      // A trial that fails quarantines the key again.
      retryAfter: Math.ceil(
        cold.trial ? quarantineFor(registry.policy.restart, cold.coolDowns) : cold.retryAt - now,
      ),
      explain: registry.answers.explainLater(session),
    })
    cold.lastError = cause ?? error
    registry.breaker.failed(session, now, cause ?? error)
    registry.supervision.note(session, "open", cause ?? error)
    registry.monitor.openingEnded(
      generation,
      reason === "TimedOut" ? "timedOut" : "failed",
      now - generation.since,
    )
    this.#traced(generation, reason === "TimedOut" ? "timedOut" : "failed", cause ?? error)
    generation.reason = "OpenFailed"
    generation.more.unopened = true
    registry.recorder.trouble(generation, "OpenFailed", cause ?? error)
    session.next = cold.trial ? "quarantine" : "forget"
    registry.setState(session, "Stopping")
    registry.waiters.refuseAll(session, (task) => registry.answers.openFailed(task, error))
    registry.events.lifecycle((stamp) => ({
      _tag: "OpenFailed",
      session: generation.ref,
      error: cause ?? error,
      retryAt: registry.epochOf(cold.retryAt),
      ...stamp,
    }))
    if (abort) return this.#abort(generation, error)
    registry.steps.after(() => abortSignal(generation, error))
    registry.closing.finalize(generation)
  }

  /** The opening is no longer wanted: nobody waits, a close, a drain. */
  giveUp(session: Session, reason: CloseReason): void {
    const registry = this.#registry
    const generation = session.generation
    if (session.state !== "Opening" || generation === undefined) return
    registry.breaker.givenUp(session)
    registry.monitor.openingEnded(generation, "cancelled", registry.time.now() - generation.since)
    generation.reason = reason
    this.#traced(generation, "cancelled")
    generation.more.unopened = true
    session.next = "forget"
    registry.setState(session, "Stopping")
    registry.timetable.drop(generation.cold?.openDeadline)
    this.#abort(generation)
  }
  #traced(generation: Generation, outcome: OpeningOutcome, error?: unknown): void {
    const { cold } = generation
    if (cold?.openTrace === undefined) return
    openingEnded(generation, cold.openTrace, outcome, error)
    cold.openTrace = undefined
  }
  #abort(generation: Generation, reason?: unknown): void {
    const registry = this.#registry
    const cold = generation.more
    generation.phase = "aborting"
    registry.stops.cascade(cold.openFrame)
    registry.steps.after(() => {
      abortSignal(generation, reason)
      registry.driver.abort(generation)
    })
    cold.openGrace = registry.timetable.at("open", openGrace, () => {
      if (generation.phase !== "aborting") return
      cold.openFrame?.end()
      registry.closing.finalize(generation)
    })
  }
}
