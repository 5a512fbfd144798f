/**
 * An Effect Clock that moves only when told to, from one wake-up to the next, and lets promises and microtasks settle in
 * between: what is due at one moment has really been carried out before time goes on.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { settle } from "./realTime.ts"

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export class VirtualClock implements Clock.Clock {
  /** Milliseconds since this clock began; it begins at the epoch. */
  now = 0
  #sleepers: Array<Sleeper> = []
  readonly #between: () => Promise<void>

  /** `between`: waits until all is done that a moment has started. */
  constructor(between: () => Promise<void> = settle) {
    this.#between = between
  }

  readonly currentTimeMillisUnsafe = (): number => this.now
  readonly currentTimeNanosUnsafe = (): bigint => BigInt(Math.round(this.now * 1e6))
  readonly monotonicTimeNanosUnsafe = this.currentTimeNanosUnsafe
  readonly currentTimeMillis = Effect.sync(this.currentTimeMillisUnsafe)
  readonly currentTimeNanos = Effect.sync(this.currentTimeNanosUnsafe)
  readonly monotonicTimeNanos = this.currentTimeNanos

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const sleeper: Sleeper = {
        at: this.now + Math.max(0, Duration.toMillis(duration)),
        wake: () => resume(Effect.void),
      }
      this.#sleepers.push(sleeper)
      return Effect.sync(() => this.#remove(sleeper))
    })
  }
  #remove(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
  }

  /** When the next sleeper wakes. */
  get nextAt(): number {
    return Math.min(Infinity, ...this.#sleepers.map((sleeper) => sleeper.at))
  }
  /** A timer of the test's own, in virtual time. */
  readonly after = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.#sleepers.push({ at: this.now + ms, wake: resolve })
    })

  async advance(ms: number): Promise<void> {
    const end = this.now + ms
    await this.#between()
    for (;;) {
      const at = this.nextAt
      if (at > end) break
      this.now = Math.max(this.now, at)
      const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.now)
      for (const sleeper of due) this.#remove(sleeper)
      for (const sleeper of due) sleeper.wake()
      await this.#between()
    }
    this.now = end
    await this.#between()
  }
  /** The event loop stands still: time passes, and nobody wakes until it turns again. */
  async stall(ms: number): Promise<void> {
    this.now += ms
    await this.advance(0)
  }
}
