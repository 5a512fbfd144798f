/**
 * Where the engine gets its time. With Effect's default Clock this is the platform's own timers, bound once; with any
 * other Clock (tests) everything goes through it, so that virtual time moves every deadline of ours.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { runClean } from "../context.ts"

/** One alarm, set again and again. */
export interface Alarm {
  /** Rings once, `delay` milliseconds from now; an earlier setting is forgotten. */
  readonly set: (delay: number) => void
  /** A held alarm keeps the process alive while it is set. */
  readonly hold: (held: boolean) => void
  /** Does not ring until it is set again. */
  readonly clear: () => void
}

export interface TimeSource {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Epoch milliseconds: only for what people read. */
  readonly epoch: () => number
  readonly alarm: (ring: () => void) => Alarm
  /** After the I/O that is ready now. */
  readonly soon: (work: () => void) => void
}

// setTimeout takes a 32-bit delay; a longer one would ring at once.
const longest = 2 ** 31 - 1

class NativeAlarm implements Alarm {
  readonly #ring: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #held = false
  constructor(ring: () => void) {
    this.#ring = () => {
      this.#timer = undefined
      ring()
    }
  }
  set(delay: number): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    runClean(() => {
      this.#timer = setTimeout(this.#ring, Math.min(longest, Math.max(0, Math.ceil(delay))))
    })
    if (!this.#held) this.#reference("unref")
  }
  clear(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
  }
  hold(held: boolean): void {
    if (held === this.#held) return
    this.#held = held
    this.#reference(held ? "ref" : "unref")
  }
  // Elsewhere than in Node a timer is a number, and nothing is held.
  #reference(verb: "ref" | "unref"): void {
    const timer: unknown = this.#timer
    if (typeof timer === "object" && timer !== null && verb in timer) (timer as NodeJS.Timeout)[verb]()
  }
}

const soon = (work: () => void): void => {
  runClean(() => {
    if (typeof setImmediate === "function") setImmediate(work)
    else setTimeout(work, 0)
  })
}

class ClockAlarm implements Alarm {
  readonly #clock: Clock.Clock
  readonly #ring: () => void
  #interrupt: (() => void) | undefined
  constructor(clock: Clock.Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }
  set(delay: number): void {
    this.#interrupt?.()
    let dropped = false
    const ring = (): void => {
      if (!dropped) this.#ring()
    }
    if (delay <= 0) {
      // A clock may let a sleep of nothing pass at once; an alarm never rings inside `set`.
      this.#interrupt = () => void (dropped = true)
      return soon(ring)
    }
    runClean(() => {
      const fiber = Effect.runFork(this.#clock.sleep(Duration.millis(Math.ceil(delay))))
      this.#interrupt = () => {
        dropped = true
        fiber.interruptUnsafe()
      }
      fiber.addObserver((exit) => {
        if (Exit.isSuccess(exit)) ring()
      })
    })
  }
  clear(): void {
    this.#interrupt?.()
  }
  hold(): void {}
}

const platformClock = Effect.runSync(Clock.clockWith(Effect.succeed))
const platform: TimeSource = {
  now: performance.now.bind(performance),
  epoch: Date.now,
  alarm: (ring) => new NativeAlarm(ring),
  soon,
}

/** One that throws has stood still: half a step taken would be worse. */
const readings = (clock: Clock.Clock): (() => number) => {
  let last = 0
  return () => {
    try {
      last = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    } catch {
      // The last reading holds.
    }
    return last
  }
}

export const timeSource = (clock: Clock.Clock = platformClock): TimeSource =>
  clock === platformClock
    ? platform
    : {
        now: readings(clock),
        epoch: () => clock.currentTimeMillisUnsafe(),
        alarm: (ring) => new ClockAlarm(clock, ring),
        soon,
      }
