/**
 * What is seen of the code of one run of a task: each time it goes on it calls `ran`. Times are those of the registry's pulse,
 * so noting one costs a comparison, and is at most half a second too early.
 */
import type { LoopTime } from "../time/LoopTime.ts"

/** Milliseconds in which nothing of a task ran, after which it is called suspended. Longer than the pulse is coarse. */
export const suspendedAfter = 1000

export class Activity {
  /** Monotonic milliseconds: when it was last seen to run, or from when on it was watched. */
  seenAt: number
  /** How often it went on. */
  resumes = 0
  /** In pauses that are over. */
  suspendedMs = 0
  /** `LoopTime.stalled` then: while the loop stood still nothing could go on. */
  #stallMark: number

  constructor(now: number, loop: LoopTime) {
    this.seenAt = now
    this.#stallMark = loop.stalled
  }
  ran(loop: LoopTime): void {
    const at = loop.coarse()
    this.resumes++
    if (at > this.seenAt) this.#note(at, loop)
  }
  #note(at: number, loop: LoopTime): void {
    const pause = this.pauseUntil(at, loop)
    if (pause >= suspendedAfter) this.suspendedMs += pause
    this.seenAt = at
    this.#stallMark = loop.stalled
  }
  /** It is waited for no more: the pause it is in ends with that. */
  givenUp(now: number, loop: LoopTime): void {
    this.#note(now, loop)
  }
  /** How long nothing of it has run, not counting the time in which nothing could. */
  pauseUntil(now: number, loop: LoopTime): number {
    return Math.max(0, now - this.seenAt - (loop.stalled - this.#stallMark))
  }
}
