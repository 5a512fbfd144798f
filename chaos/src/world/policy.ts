/** Short times, so that every hang resolves within a second or two, and limits that are met all the time. */
import { getHeapStatistics } from "node:v8"
import type { Policy } from "@sojourn/core"
import type { Terms } from "../book/types.ts"
import type { Random } from "../random.ts"
import type { KindName } from "./Scene.ts"

export interface Drawn {
  readonly terms: Terms
  readonly policy: Policy
}

/** How many sessions of each kind may live at once: fewer than there are keys. */
const places: Readonly<Record<KindName, number>> = { memory: 40, child: 4, socket: 8, database: 1 }

/** The watermark that a ballast passes: as a share of the heap limit, a little more than is used now. */
const justAbove = (): number => {
  const { heap_size_limit, used_heap_size } = getHeapStatistics()
  return (used_heap_size + margin) / heap_size_limit
}
const margin = 128 * 1024 * 1024
/** Twice the margin, in numbers of eight bytes. */
export const ballast = (): ReadonlyArray<number> => {
  let numbers = [0.5]
  while (numbers.length < (2 * margin) / 8) numbers = numbers.concat(numbers)
  return numbers
}

export const drawPolicy = (kind: KindName, random: Random): Drawn => {
  // A database takes seconds of this thread to open: its own times are long, and everybody else's clocks see the stall.
  const dear = kind === "database"
  const terms: Terms = {
    concurrency: dear ? 1 : random.pick([1, 1, 1, 2, 3]),
    maxSessions: places[kind],
    maxPerOwner: dear ? Infinity : 3,
    seat: dear ? 8000 : 400,
    queue: dear ? 12_000 : 1500,
    open: dear ? 10_000 : random.pick([1000, 1500]),
    silence: dear ? 5000 : 500,
    stall: 300,
    lease: 500,
    grace: random.pick([100, 200, 300]),
    close: dear ? 3000 : 600,
    onLeak: random.chance(0.3) ? "wait" : "reopen",
    rebuilds: random.chance(0.85),
  }
  const { concurrency, maxPerOwner, maxSessions, onLeak, rebuilds, ...timeouts } = terms
  const policy: Policy = {
    concurrency,
    maxPerOwner,
    maxSessions,
    onLeak,
    timeouts,
    maxLeaked: random.pick([100, 100, 2]),
    maxAge: dear ? Infinity : random.pick([Infinity, 150, 600]),
    maxTurns: random.pick([Infinity, Infinity, 1, 8]),
    maxHeap: kind === "memory" && random.chance(0.5) ? justAbove() : 1,
    maxQueued: random.pick([0, 4, 16, 64]),
    idleTimeout: random.pick([20, 100, 300]),
    restart: rebuilds && {
      times: random.pick([2, 5, 10]),
      within: 1200,
      delay: 10,
      maxDelay: 100,
      quarantine: 150,
      eager: random.chance(0.25),
    },
  }
  return { terms, policy }
}
