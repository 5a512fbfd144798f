/**
 * Has the backend gone, or is it these keys (L11)? When many fail to open at once, further openings are refused at the door, so
 * that a thousand sessions do not hammer what is down; one at a time may try. It counts against no key, and no session that
 * is open notices. Pure: facts in, a verdict out. The pattern is Nygard's circuit breaker.
 */

/** Milliseconds over which openings are counted: between one and two of these. */
export const breakerWindow = 15_000
/** So many different owners (or keys without one) must have failed: one client with bad keys is no outage. */
const fewest = 20
export const firstPause = 1_000
const longestPause = 30_000

/** What happened in one window. */
export interface Openings {
  /** Owners, or keys without one, of whom one failed. */
  readonly failed: ReadonlySet<string>
  readonly succeeded: number
}

/** At least half of all, and enough of them to be no accident. */
export const isOutage = (windows: ReadonlyArray<Openings>): boolean => {
  const failed = new Set<string>()
  let succeeded = 0
  for (const window of windows) {
    for (const who of window.failed) failed.add(who)
    succeeded += window.succeeded
  }
  return failed.size >= fewest && failed.size >= succeeded
}

/** Milliseconds until the next trial, after `trials` that failed; between half and the whole of it. */
export const pauseAfter = (trials: number, random: number): number =>
  Math.min(longestPause, firstPause * 2 ** Math.min(trials, 10)) * (0.5 + random / 2)
