/** What the history of a key says. Pure. Times are epoch milliseconds of one clock, lengths milliseconds. */
import type { SessionFact } from "../../observe/Explanation.ts"
import type { Verdict } from "../hysteresis.ts"
import type { Limits } from "../thresholds.ts"

/** One generation, as far as it is remembered. */
export interface Life {
  beganAt: number
  openedAt: number | undefined
  endedAt: number | undefined
  failed: boolean
  lost: boolean
  /** Why it was closed. */
  reason: string | undefined
}

/** Ends that somebody asked for, or that the policy wants. */
const onPurpose: ReadonlySet<string | undefined> = new Set([
  "Requested",
  "Restarted",
  "Recycled",
  "Ended",
  "Drained",
])
const lossReasons: ReadonlySet<string | undefined> = new Set(["Broken", "Unresponsive", "RestartLimit"])

/** Oldest first. */
export const livesOf = (facts: ReadonlyArray<SessionFact>): ReadonlyArray<Life> => {
  const lives = new Map<number, Life>()
  for (const { at, detail, serial, what } of facts) {
    let life = lives.get(serial)
    if (life === undefined)
      lives.set(
        serial,
        (life = {
          beganAt: at,
          openedAt: undefined,
          endedAt: undefined,
          failed: false,
          lost: false,
          reason: undefined,
        }),
      )
    note(life, at, what, detail)
  }
  return [...lives.values()]
}
const note = (life: Life, at: number, what: SessionFact["what"], detail: string | undefined): void => {
  switch (what) {
    case "Opened":
      life.openedAt = at
      return
    case "OpenFailed":
      life.failed = true
      life.endedAt ??= at
      return
    case "Lost":
      life.lost = true
      life.endedAt ??= at
      return
    case "Closing":
    case "Closed":
      life.endedAt ??= at
      // The detail of a close may say more than its reason: "Broken, leaked".
      life.reason = detail?.split(",")[0]
      life.failed ||= life.reason === "OpenFailed"
      life.lost ||= lossReasons.has(life.reason)
      return
    case "Opening":
    case "Quarantined":
    case "LeakEnded":
    case "Abandoned":
    case "Retiring":
    case "SnapshotConflict":
    case "SnapshotUnreadable":
    case "SnapshotSetAside":
  }
}

const middleOf = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
/** Short lives count in so many times the window in which openings are counted. */
const windowsForLives = 5

export interface Flapping {
  readonly openings: number
  /** Undefined: there were fewer than three lives to look at. */
  readonly medianLife: number | undefined
}
/** `idleTimeout`: closing after less than a short life is what was asked for. */
export const flappingOf = (
  lives: ReadonlyArray<Life>,
  now: number,
  idleTimeout: number,
  { life, window }: Limits<"session-flapping">,
): Flapping => {
  let openings = 0
  const ended: Array<number> = []
  let before: Life | undefined
  for (const one of lives) {
    if (one.beganAt > now - window && !onPurpose.has(before?.reason)) openings++
    before = one
    if (one.endedAt === undefined || one.beganAt <= now - window * windowsForLives) continue
    if (onPurpose.has(one.reason) || (one.reason === "Idle" && idleTimeout < life)) continue
    ended.push(one.openedAt === undefined ? 0 : one.endedAt - one.openedAt)
  }
  const last = ended.slice(-3)
  return { openings, medianLife: last.length < 3 ? undefined : middleOf(last) }
}
export const sessionFlapping = (
  { medianLife, openings }: Flapping,
  limits: Limits<"session-flapping">,
): Verdict =>
  openings >= limits.openings || (medianLife !== undefined && medianLife < limits.life) ? "bad" : "good"

export interface Failing {
  readonly failed: number
  readonly lost: number
  /** All of the last lives ended badly. */
  readonly all: boolean
}
export const failingOf = (
  lives: ReadonlyArray<Life>,
  now: number,
  limits: Limits<"recreate-loop">,
): Failing => {
  let failed = 0
  let lost = 0
  const recent = lives.filter(({ beganAt }) => beganAt > now - limits.window)
  for (const life of recent.toReversed()) {
    if (failed + lost >= limits.lives) break
    if (life.failed) failed++
    else if (life.lost && (life.endedAt ?? now) - (life.openedAt ?? now) < limits.life) lost++
    // The newest has not ended yet: what it comes to is not known.
    else if (life.endedAt === undefined && now - (life.openedAt ?? now) < limits.stable) continue
    else break
  }
  return { failed, lost, all: failed + lost >= limits.lives }
}
export const recreateLoop = ({ all }: Failing): Verdict => (all ? "bad" : "good")
