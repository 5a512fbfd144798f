/** The laws as an executable model, for whoever runs this engine. */
import { checkObject, resolveNames, resolvePolicy, wholeNumber } from "../../options.ts"
import type { Options, Policy } from "../../SessionOptions.ts"
import { runSchedule } from "./schedule.ts"
import { promiseFace } from "./world.ts"

/** What a schedule may be told to keep to. Times are drawn with the schedule: what it checks is bound to them. */
export type FixedPolicy = Pick<
  Policy,
  | "concurrency"
  | "whenBusy"
  | "maxQueued"
  | "maxSessions"
  | "maxPerOwner"
  | "maxTurns"
  | "onLeak"
  | "maxLeaked"
>
const fixable = [
  "concurrency",
  "whenBusy",
  "maxQueued",
  "maxSessions",
  "maxPerOwner",
  "maxTurns",
  "onLeak",
  "maxLeaked",
] as const satisfies ReadonlyArray<keyof FixedPolicy>

export type CheckLaws = Options<{
  /** How many schedules. 100; 1. */
  readonly schedules: number
  /** The first one; the next numbers follow. A seed gives the same schedule every time. 1; 0. */
  readonly seed: number
  /** Instead of what each schedule draws: the options you use. */
  readonly policy: FixedPolicy
}>

/** Lines of a trace that an error shows: the last ones. */
const shownLines = 200

/**
 * Plays random schedules of hostile users against the real engine, in virtual time: calls, cancels, closes, crashes, hangs,
 * drains, evictions, probes that lie. After every step what the engine did is held against the laws. It says something about
 * the engine under your options, nothing about your resource: for that there is `checkOpen`. A hundred take a few seconds.
 *
 * Rejects with the first broken law, its seed, and the last lines of what happened.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const checkLaws = async (options: CheckLaws = {}): Promise<void> => {
  resolveNames(options, ["schedules", "seed", "policy"])
  const schedules = wholeNumber("schedules", options.schedules, 100, 1)
  const seed = wholeNumber("seed", options.seed, 1, 0)
  const policy = options.policy ?? {}
  checkObject("policy", policy)
  resolveNames(policy, fixable)
  resolvePolicy(policy, [])
  for (let next = seed; next < seed + schedules; next++) {
    const { broken, trace } = await runSchedule(promiseFace, next, policy)
    if (broken === undefined) continue
    throw new Error(`${broken}\nThis is seed ${next}. What happened:\n${trace.slice(-shownLines).join("\n")}`)
  }
}
