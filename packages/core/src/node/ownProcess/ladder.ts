/** How a process and what belongs to it is brought to its end: asked, SIGTERM, SIGKILL, each in its share of the time. */
import type { Family } from "./Family.ts"

export interface Ladder {
  /** Tells it, in its own way, that it is no longer needed; false when there is no way to. */
  readonly ask: () => boolean
  /** Our own child's end, as Node tells it; undefined: not our child. */
  readonly exited: Promise<unknown> | undefined
  /** Milliseconds. */
  readonly killAfter: number
  /** Until it was killed, this process stays alive for it. */
  readonly keepsAlive: boolean
}

/** Milliseconds: the longest wait between being asked and SIGTERM, and its share of `killAfter`. */
const longestAsk = 500
const askShare = 0.1
/** SIGKILL comes after this share, so that all is over when `killAfter` is. */
const killShare = 0.8
/** Milliseconds between two looks: soon at first, as most end at once. */
const firstLook = 5
const slowestLook = 100
const slowestLookAfterKill = 1000
/** What a timer can be set to. */
const longestTimer = 2 ** 31 - 1

/** Resolves when nothing is left, however long that takes. */
export const endFamily = async (
  family: Family,
  { ask, exited, killAfter, keepsAlive }: Ladder,
): Promise<void> => {
  const killAt = performance.now() + killShare * killAfter
  // Once it has ended nobody knows any more what descended from it.
  await family.gather()
  if (ask()) await pause(Math.min(longestAsk, askShare * killAfter), exited, keepsAlive)
  if (await family.isGone()) return
  await family.signal("SIGTERM")
  // Of our own child Node tells us; for what it leaves behind, and for all others, we have to look.
  if (exited !== undefined) await pause(killAt - performance.now(), exited, keepsAlive)
  for (let look = firstLook; ; look = Math.min(2 * look, slowestLook)) {
    if (await family.isGone()) return
    const left = killAt - performance.now()
    if (left <= 0) break
    await pause(Math.min(look, left), undefined, keepsAlive)
  }
  // Again each time: what was just being started is not in the list of descendants.
  for (let look = firstLook; ; look = Math.min(2 * look, slowestLookAfterKill)) {
    await family.signal("SIGKILL")
    // Nothing can refuse. What the kernel holds all the same need not keep this process.
    await pause(look, undefined, false)
    if (await family.isGone()) return
  }
}

const pause = async (ms: number, end: Promise<unknown> | undefined, keepsAlive: boolean): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(Math.max(ms, 0), longestTimer))
    if (!keepsAlive) timer.unref()
  })
  await (end === undefined ? over : Promise.race([over, end]))
  clearTimeout(timer)
}
