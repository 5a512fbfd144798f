/** Keys of one kind that open again and again. Their histories are read only after a life has ended, and a few at a time. */
import type { Inspection } from "../observe/Inspection.ts"
import type { LiveSession } from "../observe/Live.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { Judge, Subject } from "./Judge.ts"
import { failingOf, flappingOf, livesOf, recreateLoop, sessionFlapping } from "./rules/keys.ts"

/** At one time; the others wait for the next. */
const mostLooks = 64
/** Keys that are to be looked at; more are left out until something happens to them again. */
const mostKept = 1000

class Key implements Subject {
  readonly key: string
  readonly session: SessionRef
  held: Subject["held"] = undefined
  constructor(session: SessionRef) {
    this.key = session.key
    this.session = session
  }
  ref(): SessionRef {
    return this.session
  }
}

/** A first life that has not ended says nothing yet. */
const beganAgain = (session: LiveSession, since: number): boolean => {
  const { endedAt, openedAt } = session
  return endedAt !== undefined && (endedAt >= since || (openedAt !== undefined && openedAt >= since))
}

export class KeyWatch {
  readonly #inspection: Inspection
  readonly #judge: Judge
  /** Those to be looked at, in that order. */
  readonly #keys = new Map<string, Key>()
  constructor(inspection: Inspection, judge: Judge) {
    this.#inspection = inspection
    this.#judge = judge
  }

  get size(): number {
    return this.#keys.size
  }
  /** `since`: the last look. */
  visit(session: LiveSession, since: number): void {
    if (session.failedOpens === 0 && session.losses === 0 && !beganAgain(session, since)) return
    if (this.#keys.size < mostKept && !this.#keys.has(session.key))
      this.#keys.set(session.key, new Key(session.ref))
  }
  look(): void {
    let left = Math.min(mostLooks, this.#keys.size)
    const now = this.#inspection.now()
    for (const key of this.#keys.values()) {
      if (left-- <= 0) return
      this.#keys.delete(key.key)
      this.#lookAt(key, now)
      // To the end of the line, as long as there is something to clear.
      if (key.held !== undefined) this.#keys.set(key.key, key)
    }
  }
  #lookAt(key: Key, now: number): void {
    const { limits } = this.#judge.settings
    const lives = livesOf(this.#inspection.history(key.key))
    const { idleTimeout } = this.#inspection.limits
    const flapping = flappingOf(lives, now, idleTimeout, limits["session-flapping"])
    this.#judge.take(key, "session-flapping", sessionFlapping(flapping, limits["session-flapping"]), () => ({
      openings: flapping.openings,
      medianLifeMs: flapping.medianLife ?? -1,
    }))
    const failing = failingOf(lives, now, limits["recreate-loop"])
    this.#judge.take(key, "recreate-loop", recreateLoop(failing), () => ({
      failed: failing.failed,
      lost: failing.lost,
    }))
  }
  end(): void {
    for (const key of this.#keys.values()) this.#judge.dropAll(key)
    this.#keys.clear()
  }
}
