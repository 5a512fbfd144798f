/**
 * Silence is counted in loop time (L23): while the event loop did not turn, nobody could give a sign of life. A pulse that
 * beats only while somebody is watched sees how late it is, and that time is credited to every silence clock.
 */
import type { Alarm, TimeSource } from "./TimeSource.ts"

// Below this a late pulse is an ordinary busy loop.
const toleratedMs = 10

const periodFor = (limit: number): number => Math.min(500, Math.max(5, limit / 16))

export class LoopTime {
  /** Milliseconds during which the loop stood still, since the beginning. */
  stalled = 0
  readonly #time: TimeSource
  readonly #alarm: Alarm
  #period: number
  readonly #watched: () => boolean
  #nextBeat = Infinity
  /** The last reading of the clock that was worth anything here. */
  #read = 0

  /** `silence`: the shortest limit to be watched; `watched`: is anybody? */
  constructor(time: TimeSource, silence: number, watched: () => boolean) {
    this.#time = time
    this.#watched = watched
    this.#period = periodFor(silence)
    this.#alarm = time.alarm(() => this.#beat())
  }
  /** Called when somebody begins to be watched; `limit`: a shorter one than all before needs a quicker pulse. */
  watch(now: number, limit = Infinity): void {
    const period = periodFor(limit)
    const quicker = period < this.#period
    if (quicker) this.#period = period
    if (quicker || this.#nextBeat === Infinity) {
      this.catchUp(now)
      this.#setBeat(now)
    }
  }
  /** Credits a stall that is over but whose pulse has not beaten yet. */
  catchUp(now: number): void {
    this.#read = now
    const late = now - this.#nextBeat
    if (late <= toleratedMs) return
    this.stalled += late
    this.#setBeat(now)
  }
  /** What has been credited up to now: a stall before a sign of life is not credited after it. */
  mark(now: number): number {
    this.catchUp(now)
    return this.stalled
  }
  /** A moment that is past by at most one pulse, without a look at the clock while the pulse beats. */
  coarse(): number {
    if (this.#nextBeat === Infinity) this.watch(this.#time.now())
    return this.#read
  }
  #beat(): void {
    const now = this.#time.now()
    this.catchUp(now)
    if (this.#watched()) this.#setBeat(now)
    else this.#nextBeat = Infinity
  }
  #setBeat(now: number): void {
    this.#nextBeat = now + this.#period
    this.#alarm.set(this.#period)
  }
}
