/** When to look: once a second, just after the second is over, so that each slot of time has one reading. */

/** Where time comes from. `after` never keeps a process alive; its result ends it. */
export interface HistoryClock {
  /** Epoch milliseconds. */
  readonly epoch: () => number
  /** Milliseconds that no change of the clock moves. */
  readonly monotonic: () => number
  readonly after: (ms: number, run: () => void) => () => void
}

export const realClock: HistoryClock = {
  epoch: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}

/** Milliseconds. */
export const slotMs = 1000

/** The slot that has just ended, seen from around its end; what is later by half a slot or more belongs to the next one. */
export const slotBefore = (epoch: number): number => Math.round(epoch / slotMs) - 1
/** Milliseconds until the end of the slot after that one: half a slot at least, so that no reading is of a moment only. */
export const untilNext = (epoch: number): number => (Math.round(epoch / slotMs) + 1) * slotMs - epoch
