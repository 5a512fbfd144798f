/** When a lost or unopened session may be tried again. Pure. The words for these are OTP's restart intensity and period. */
import type { ResolvedRestart } from "../options.ts"

const longestQuarantine = 10 * 60_000

/** Between half and the whole of it, so that sessions of one dead backend do not come back together. */
const jittered = (delay: number, random: number): number => delay * (0.5 + random / 2)

const doubled = (first: number, times: number, most: number): number =>
  Math.min(most, first * 2 ** Math.min(times, 40))

/** After the `attempt`-th failed open in a row (1, 2, 3 …): one delay, two, four … */
export const delayAfterFailedOpen = (policy: ResolvedRestart, attempt: number, random: number): number =>
  jittered(doubled(policy.delay, attempt - 1, policy.maxDelay), random)

export type Loss =
  | { readonly next: "quarantine"; readonly failures: ReadonlyArray<number> }
  | { readonly next: "reopen"; readonly failures: ReadonlyArray<number>; readonly delay: number }

/** A generation was lost at `now`: the first in a while is rebuilt at once, the next ones later, too many never. */
export const afterLoss = (
  policy: ResolvedRestart,
  facts: {
    readonly failures: ReadonlyArray<number>
    readonly now: number
    readonly trial: boolean
    readonly random: number
  },
): Loss => {
  const failures = [...facts.failures.filter((at) => facts.now - at <= policy.within), facts.now]
  if (facts.trial || failures.length > policy.times) return { next: "quarantine", failures }
  const delay = failures.length === 1 ? 0 : doubled(policy.delay, failures.length - 2, policy.maxDelay)
  return { next: "reopen", failures, delay: jittered(delay, facts.random) }
}

/** How long the `count`-th quarantine in a row lasts (0, 1, 2 …). */
export const quarantineFor = (policy: ResolvedRestart, count: number): number =>
  Math.max(policy.quarantine, doubled(policy.quarantine, count, longestQuarantine))

/** A generation that lives this long clears what was held against its key. */
export const stableAfter = (policy: ResolvedRestart): number => policy.within / 6
