/**
 * What users will do, drawn up before it happens and kept as data: neither the order of microtasks nor a change in the
 * engine moves a choice from one user to another.
 */
import type { Policy, WhenBusy } from "../../SessionOptions.ts"
import type { SessionKey } from "../../SessionKey.ts"
import type { Random } from "./Random.ts"

/** How a body ends when nobody stops it. `late`: after 20 s, whatever it is told. */
type End = "return" | "throw" | "hang" | "late"
/** What a body does about its signal: throw its reason, go on, or give its value at once. */
type OnAbort = "honour" | "ignore" | "return"

export interface Program {
  readonly steps: ReadonlyArray<Step>
  readonly end: End
  readonly onAbort: OnAbort
  /** Ends in the very call, without a promise. */
  readonly sync: boolean
}
export interface Ask {
  /** Which registry. */
  readonly at: number
  readonly key: SessionKey
  readonly how: "run" | "lease"
  readonly program: Program
  readonly detach: boolean
  readonly whenBusy: WhenBusy | undefined
  readonly timeout: number | undefined
  readonly abortAfter: number | undefined
  readonly mustExist: boolean
  readonly idempotent: boolean
  /** A lease: how long it is held, and what it does meanwhile; never given back when `undefined`. */
  readonly hold: number | undefined
  readonly within: ReadonlyArray<Program | "progress">
}
export type Verb = "close" | "restart" | "cancel"
export type Step =
  | { readonly do: "work" | "progress" | "broken" | "end" | "close" | "restart" | "drain" }
  | { readonly do: "sleep"; readonly ms: number }
  /** `await`: the body goes on when it is told. `pass`: its failure is the body's own. */
  | { readonly do: "ask"; readonly ask: Ask; readonly await: boolean; readonly pass: boolean }
  /** A timer left behind that calls in after `ms`. */
  | { readonly do: "later"; readonly ask: Ask; readonly ms: number }
  | { readonly do: "background"; readonly program: Program }
  | { readonly do: "verb"; readonly verb: Verb; readonly at: number; readonly key: SessionKey }

/** How a resource answers when it is asked, one after another. */
export interface Health {
  readonly trustFor: number
  readonly every: number
  readonly timeout: number
  readonly answers: ReadonlyArray<"good" | "slow" | "false" | "throw" | "hang" | "late">
}

export type FinalizerPlan = "ok" | "sleep" | "throw" | "hang" | "slow" | "run" | "close" | "register"
export interface OpenPlan {
  readonly steps: ReadonlyArray<
    | { readonly do: "finalizer"; readonly plan: FinalizerPlan; readonly after: number | undefined }
    | { readonly do: "sleep"; readonly ms: number }
    | { readonly do: "ask"; readonly ask: Ask }
    | { readonly do: "broken" }
  >
  readonly end: "ok" | "fail" | "hang" | "late"
  readonly honours: boolean
  readonly brokenAfter: number | undefined
  readonly endAfter: number | undefined
  readonly health: Health | undefined
  readonly saves: boolean
}

export interface Setting {
  readonly policy: Policy
  readonly registries: number
  readonly keys: ReadonlyArray<SessionKey>
  readonly actions: number
  /** How likely each is, 0 to 1. */
  readonly nest: number
  readonly breaks: number
  readonly hang: number
  readonly badOpen: number
  readonly badFinalizer: number
  readonly stall: number
  readonly drains: boolean
  readonly hurry: boolean
  /** Probes, recycling, replays, leaks that are waited for, evictions, saved state. */
  readonly supervised: boolean
}

const owned = (owner: string, id: string): SessionKey => ({ owner, id })
const keySets: ReadonlyArray<ReadonlyArray<SessionKey>> = [
  ["a"],
  ["a", "b"],
  ["a", owned("o", "1"), owned("o", "2")],
  ["a", owned("o", "1"), owned("o", "2"), owned("p", "1"), "b"],
]

/** Every other seed is supervised as well, by choices of their own: the others stay what they were. */
export const drawSetting = (random: Random, seed: number): Setting => {
  const setting = drawBase(random, seed)
  if (seed % 2 === 0) return setting
  const more = random.fork(1)
  const policy = {
    ...setting.policy,
    maxAge: more.pick([Infinity, Infinity, 700, 6_000]),
    maxTurns: more.pick([Infinity, Infinity, 1, 2, 5]),
    onLeak: more.pick(["reopen", "wait"] as const),
    maxLeaked: more.pick([100, 100, 1, 2]),
  }
  return { ...setting, policy, breaks: more.pick([setting.breaks, 0.3]), supervised: true }
}

/** Every third seed is tuned to calls that meet each other: many slots, few keys, much nesting. */
const drawBase = (random: Random, seed: number): Setting => {
  const meeting = seed % 3 === 0
  const concurrency = meeting ? random.pick([1, 2, 2, 3]) : random.pick([1, 1, 1, 2, 3])
  return {
    policy: {
      concurrency,
      whenBusy: meeting
        ? "queue"
        : random.pick(["queue", "queue", "queue", "queue", "reject", "replace", "overlap"]),
      maxQueued: random.pick([0, 1, 3, 20, 20]),
      maxSessions: meeting ? 10 : random.pick([1, 1, 2, 3, 10]),
      maxPerOwner: random.pick([1, 2, Infinity]),
      idleTimeout: random.pick([0, 100, 100, 5_000]),
      restart: random.chance(0.15)
        ? false
        : {
            times: random.pick([0, 1, 3]),
            within: 10_000,
            delay: random.pick([0, 200]),
            maxDelay: 6_000,
            quarantine: 5_000,
            eager: random.chance(0.2),
          },
      timeouts: {
        seat: 3_000,
        queue: random.pick([2_000, 25_000]),
        open: 4_000,
        silence: random.pick([1_500, 6_000]),
        stall: 1_000,
        lease: 4_000,
        grace: 800,
        close: 1_500,
      },
    },
    registries: meeting ? 2 : random.pick([1, 1, 2]),
    keys: meeting
      ? random.pick([
          ["a", "b"],
          ["a", "b", "c"],
        ])
      : random.pick(keySets),
    actions: random.pick([6, 15, 40]),
    nest: meeting ? 0.35 : random.pick([0, 0.2]),
    breaks: random.pick([0, 0.06]),
    hang: random.pick(meeting ? [0, 0.1, 0.25] : [0, 0, 0.1]),
    badOpen: meeting ? 0.05 : random.pick([0, 0, 0.25]),
    badFinalizer: random.pick([0, 0.5]),
    stall: random.chance(0.2) ? 0.06 : 0,
    drains: random.chance(0.35),
    hurry: random.chance(0.4),
    supervised: false,
  }
}

const drawHealth = (random: Random): Health => ({
  trustFor: random.pick([0, 0, 500, 5_000]),
  every: random.pick([Infinity, Infinity, 300, 2_000]),
  timeout: random.pick([200, 1_000]),
  answers: Array.from({ length: 1 + random.below(6) }, () =>
    random.pick(["good", "good", "good", "slow", "slow", "false", "throw", "hang", "late"]),
  ),
})

const drawProgram = (random: Random, setting: Setting, depth: number, nestable = true): Program => {
  const steps: Array<Step> = []
  const count = random.below(4)
  for (let index = 0; index < count; index++) steps.push(drawStep(random, setting, depth, nestable))
  const end = random.next()
  return {
    steps,
    end:
      end < setting.hang
        ? random.pick(["hang", "hang", "late"])
        : end < setting.hang + 0.12
          ? "throw"
          : "return",
    onAbort: random.pick(["honour", "honour", "ignore", "return"]),
    sync: random.chance(0.15),
  }
}

const drawStep = (random: Random, setting: Setting, depth: number, nestable: boolean): Step => {
  const dice = random.next()
  const target = { at: random.below(setting.registries), key: random.pick(setting.keys) }
  if (nestable && depth < 3 && random.chance(setting.nest)) {
    return {
      do: "ask",
      ask: drawAsk(random, setting, depth + 1),
      await: random.chance(0.8),
      pass: random.chance(0.5),
    }
  }
  if (dice < 0.3) return { do: "sleep", ms: random.pick([0, 1, 10, 100, 700, 3_000]) }
  if (dice < 0.38) return { do: "progress" }
  if (dice < 0.43) return { do: "later", ask: drawAsk(random, setting, 3), ms: random.pick([1, 500]) }
  if (dice < 0.5) return { do: "background", program: drawProgram(random, setting, 3, false) }
  if (dice < 0.5 + setting.breaks) return { do: random.pick(["broken", "broken", "end"]) }
  if (dice < 0.6) return { do: random.pick(["close", "restart"]) }
  if (dice < 0.66) return { do: "verb", verb: random.pick(["close", "restart", "cancel"]), ...target }
  if (dice < 0.67 && setting.drains) return { do: "drain" }
  return { do: "work" }
}

export const drawAsk = (random: Random, setting: Setting, depth: number): Ask => {
  const nested = depth > 0
  const lease = random.chance(0.15)
  return {
    at: random.below(setting.registries),
    key: random.pick(setting.keys),
    how: lease ? "lease" : "run",
    program: drawProgram(random, setting, depth),
    detach: nested && random.chance(0.1),
    whenBusy: random.chance(0.15) ? random.pick(["queue", "reject", "replace", "overlap"]) : undefined,
    timeout: random.chance(0.15) ? random.pick([0, 1, 20, 300, 3_000]) : undefined,
    abortAfter: random.chance(0.25) ? random.pick([-1, 0, 1, 10, 200, 3_000]) : undefined,
    mustExist: random.chance(0.04),
    idempotent: setting.supervised && random.fork(depth).chance(0.3),
    hold: random.chance(0.75) ? random.pick([0, 5, 300, 2_500]) : undefined,
    within: lease
      ? Array.from({ length: random.below(4) }, () =>
          random.chance(0.4) ? "progress" : drawProgram(random, setting, 3, false),
        )
      : [],
  }
}

const goodFinalizers: ReadonlyArray<FinalizerPlan> = ["ok", "ok", "sleep"]
const badFinalizers: ReadonlyArray<FinalizerPlan> = [
  "ok",
  "sleep",
  "throw",
  "hang",
  "slow",
  "run",
  "close",
  "register",
]

export const drawOpen = (random: Random, setting: Setting): OpenPlan => {
  const steps: Array<OpenPlan["steps"][number]> = []
  const count = random.below(4)
  for (let index = 0; index < count; index++) {
    if (random.chance(0.3)) steps.push({ do: "sleep", ms: random.pick([0, 1, 50, 700]) })
    if (random.chance(setting.nest * 0.4)) steps.push({ do: "ask", ask: drawAsk(random, setting, 2) })
    if (random.chance(setting.breaks * 0.3)) steps.push({ do: "broken" })
    const plan = random.pick(random.chance(setting.badFinalizer) ? badFinalizers : goodFinalizers)
    steps.push({
      do: "finalizer",
      plan,
      after: random.chance(0.15) ? random.pick([1, 400, 6_000]) : undefined,
    })
  }
  const bad = random.chance(setting.badOpen)
  return {
    steps,
    end: bad ? random.pick(["fail", "fail", "hang", "late"]) : "ok",
    honours: random.chance(0.6),
    brokenAfter: random.chance(setting.breaks) ? random.pick([1, 100, 3_000, 30_000]) : undefined,
    endAfter: random.chance(setting.breaks * 0.5) ? random.pick([1, 100, 3_000]) : undefined,
    health: setting.supervised && random.fork(1).chance(0.6) ? drawHealth(random.fork(2)) : undefined,
    saves: setting.supervised && random.fork(3).chance(0.7),
  }
}
