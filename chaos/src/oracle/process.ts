/** The process itself: its heap, what keeps it alive, and whether all the harm that was meant has been done. */
import type { Fault } from "../faults.ts"
import type { Violation } from "../book/types.ts"

const MB = 1024 * 1024
/** Rounds in which code is compiled and pools are filled. */
const warmUp = 2
/** Below this the heap of a process moves by itself. */
const noise = 1.5 * MB

/** Bytes after each round, collected. It leaks when the floor of each quarter lies above that of the one before, by more than noise in all. */
export const judgeHeap = (bytes: ReadonlyArray<number>): ReadonlyArray<Violation> => {
  const warm = bytes.slice(warmUp)
  const quarter = Math.floor(warm.length / 4)
  // One round says little: what is kept for a second or two may be there or not.
  if (quarter < 2) return []
  const floors = [0, 1, 2, 3].map((index) =>
    Math.min(...warm.slice(index * quarter, index === 3 ? undefined : (index + 1) * quarter)),
  )
  const [first = 0, , , last = 0] = floors
  const rises = floors.every((floor, index) => index === 0 || floor > (floors[index - 1] ?? 0))
  if (!rises || last - first < noise + first * 0.02) return []
  const text = floors.map((floor) => (floor / MB).toFixed(1)).join(", ")
  return [{ rule: "heap", what: `the heap rises: ${text} MB in the quarters of the run`, about: undefined }]
}

export type Handles = Readonly<Record<string, number>>
export const countHandles = (names: ReadonlyArray<string>): Handles => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
/** What keeps the process alive after a round is what kept it alive before the first. */
export const judgeHandles = (before: Handles, after: Handles): ReadonlyArray<Violation> =>
  Object.entries(after)
    .filter(([name, count]) => count > (before[name] ?? 0))
    .map(([name, count]) => ({
      rule: "handles",
      what: `${count} of ${name} are left, ${before[name] ?? 0} were there before`,
      about: undefined,
    }))

/** A run of this length does everything it knows at least once. */
export const isFull = (ms: number): boolean => ms >= 60_000
export const judgeFaults = (
  fired: ReadonlyArray<readonly [Fault, number]>,
  askedMs: number,
): ReadonlyArray<Violation> =>
  !isFull(askedMs)
    ? []
    : fired
        .filter(([, count]) => count === 0)
        .map(([fault]) => ({ rule: "faults", what: `never happened: ${fault}`, about: undefined }))
