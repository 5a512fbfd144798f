/** May it start, wait, or must it be refused? Pure decisions over counted facts (semantics 3a, 3b). */
import type { WhenBusy } from "../SessionOptions.ts"

export type TurnDecision = "start" | "queue" | "replace" | "Busy" | "MaxQueued"

export interface TurnFacts {
  readonly whenBusy: WhenBusy
  readonly concurrency: number
  readonly maxQueued: number
  /** Slots taken or lost in the generation that serves; 0 while none does. */
  readonly taken: number
  readonly queued: number
  /** The generation is ready and starts new turns. */
  readonly serving: boolean
}

/** `maxQueued` counts turns behind those that can start, so 0 is legal. */
export const decideTurn = (facts: TurnFacts): TurnDecision => {
  const { concurrency, queued, taken } = facts
  if (facts.serving && queued === 0 && taken < concurrency) return "start"
  const free = Math.max(0, concurrency - taken)
  if (facts.whenBusy === "reject" && queued + taken >= concurrency) return "Busy"
  if (facts.whenBusy === "replace") return "replace"
  return queued >= facts.maxQueued + free ? "MaxQueued" : "queue"
}

export type SeatDecision = "grant" | "wait" | "evict" | "evictOwn" | "skip"

export interface SeatFacts {
  readonly seats: number
  readonly maxSessions: number
  readonly ownerSeats: number
  readonly maxPerOwner: number
  /** Closings under way, of anyone and of the owner, that no earlier waiter counts on. */
  readonly coming: number
  readonly ownerComing: number
}

/** For one session in line. One closing serves one waiter: nothing is evicted while those under way cover the waiters. */
export const decideSeat = (facts: SeatFacts): SeatDecision => {
  if (facts.ownerSeats >= facts.maxPerOwner) return facts.ownerComing > 0 ? "skip" : "evictOwn"
  if (facts.seats < facts.maxSessions) return "grant"
  return facts.coming > 0 ? "wait" : "evict"
}

/**
 * How many sessions to close so that the heap falls from `used` to `low` (shares of its limit), if each holds as much as the
 * next. At least one: what they hold is seen only after a collection, so the next look corrects it.
 */
export const sessionsToShed = (sessions: number, used: number, low: number): number =>
  used <= 0 ? 0 : Math.max(1, Math.ceil((sessions * Math.max(0, used - low)) / used))
