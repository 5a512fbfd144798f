/** How late is late, on a machine that has other things to do. Milliseconds. */
import type { Round } from "../book/types.ts"

/** Added to every bound, and the time in which the event loop stood still is added too. */
export const slack = 1500
/** From telling an opening to stop until its finalizers run although it has not ended: the engine's own. */
export const openGrace = 5000
/** Timers are whole milliseconds. */
export const rounding = 5

/** How long the event loop stood still between two moments; a stall that reaches into them counts as a whole. */
export const stalled = ({ stalls }: Pick<Round, "stalls">, from: number, to: number): number => {
  let sum = 0
  for (let last = stalls.length - 1; last >= 0; last--) {
    const stall = stalls[last]
    if (stall === undefined || stall.at < from) break
    if (stall.at - stall.ms <= to) sum += stall.ms
  }
  return sum
}
