/** How promises stand in virtual time, and what must be true of every world once nothing can happen any more. */
import { expect } from "vitest"
import { outcomeOf, type Ledger, type World } from "./ledger.ts"
import type { VirtualClock } from "./VirtualClock.ts"

export interface Watched {
  /** `pending`, `value 1`, `SessionRefused Closed`, `error gone`. */
  outcome: string
  /** When it was told, in virtual milliseconds. */
  at: number
  value: unknown
  error: unknown
}

/** Notes how and when a promise is settled; its rejection is never an unhandled one. */
export const watch = (clock: VirtualClock, promise: Promise<unknown>): Watched => {
  const watched: Watched = { outcome: "pending", at: Number.NaN, value: undefined, error: undefined }
  const noted = async (): Promise<void> => {
    try {
      watched.value = await promise
    } catch (error) {
      watched.error = error
    }
    watched.at = clock.now
    watched.outcome = await outcomeOf(promise)
  }
  void noted()
  return watched
}

/** A property of an error of ours, such as `retryAfter`. */
export const fieldOf = (watched: Watched, name: string): unknown => {
  const { error } = watched
  return typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined
}

/** Every resource that was opened was released, exactly once. */
export const expectReleasedOnce = (ledger: Ledger): void => {
  const named = (verb: string): ReadonlyArray<string> =>
    ledger.lines
      .filter((line) => line.startsWith(verb))
      .map((line) => line.slice(verb.length))
      .toSorted()
  expect(named("release ")).toEqual(named("open "))
}

/** Drained: nothing in service, nothing held, nothing waits. */
export const expectNothingLeft = async ({ clock, ledger, sessions }: World<unknown>): Promise<void> => {
  const drained = watch(clock, sessions.drain({ finishWithin: 0 }))
  await clock.advance(120_000)
  expect(drained.outcome).toBe("value [object Object]")
  const { counts, phase } = sessions.snapshot()
  expect(phase).toBe("drained")
  expect(Object.entries(counts).filter(([, count]) => count !== 0)).toEqual([])
  expectReleasedOnce(ledger)
}
