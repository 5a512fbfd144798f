/** Options as given, checked and completed. A wrong one throws at once and says which, what it was, and what is allowed. */
import * as Duration from "effect/Duration"
import type {
  AtOptions,
  CallerSignal,
  CloseOptions,
  Policy,
  ProbeOptions,
  Restart,
  RunOptions,
  StreamOptions,
  Time,
  Timeouts,
  WhenBusy,
} from "./SessionOptions.ts"
import { invalidOption } from "./errors.ts"
import type { SessionStore } from "./store/SessionStore.ts"

type ResolvedTimeouts = { readonly [K in keyof Required<Timeouts>]: number }
export interface ResolvedRestart {
  readonly times: number
  readonly within: number
  readonly delay: number
  readonly maxDelay: number
  readonly quarantine: number
  readonly eager: boolean
}
export interface ResolvedPolicy {
  readonly whenBusy: WhenBusy
  readonly concurrency: number
  readonly maxQueued: number
  readonly idleTimeout: number
  readonly maxSessions: number
  readonly maxPerOwner: number
  readonly maxAge: number
  readonly maxTurns: number
  readonly maxHeap: number
  readonly onLeak: "reopen" | "wait"
  readonly maxLeaked: number
  /** Undefined: in memory. */
  readonly store: SessionStore | undefined
  readonly timeouts: ResolvedTimeouts
  readonly restart: ResolvedRestart
  /** `restart: false`. */
  readonly rebuild: boolean
}

const second = 1000
const minute = 60 * second
const longestName = 128

const shown = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
  if (
    typeof value === "number" ||
    typeof value === "bigint" ||
    typeof value === "boolean" ||
    value === undefined
  )
    return String(value)
  return value === null ? "null" : typeof value === "function" ? "a function" : "an object"
}
const wrong = (option: string, value: unknown, allowed: string): Error =>
  invalidOption(`${option}: ${allowed} is allowed, got ${shown(value)}.`)

/** Known names only: a misspelt option would silently do nothing. */
const checkNames = (where: string, given: object, known: ReadonlyArray<string>): void => {
  // Cheaper than a list of its keys: this is asked for each call.
  for (const name in given) {
    if (!known.includes(name) && Object.hasOwn(given, name))
      throw invalidOption(`${where}${name}: there is no such option. Known: ${known.join(", ")}.`)
  }
}
export const checkObject = (option: string, value: unknown): void => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(option, value, "an object")
}

const timeParts = new Set([
  "weeks",
  "days",
  "hours",
  "minutes",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds",
])
/** Duration reads a part it does not know, and NaN, as zero: a misspelt time would be none at all. */
const isTimeParts = (given: Time): boolean => {
  if (typeof given !== "object" || Duration.isDuration(given)) return true
  const parts: ReadonlyArray<unknown> = Array.isArray(given) ? given : Object.values(given)
  if (!parts.every((part) => part === undefined || (typeof part === "number" && Number.isFinite(part))))
    return false
  return Array.isArray(given) || (parts.length > 0 && Object.keys(given).every((name) => timeParts.has(name)))
}

/** Milliseconds. */
export const milliseconds = (
  option: string,
  given: Time | undefined,
  fallback: number,
  minimum = 0,
): number => {
  if (given === undefined) return fallback
  const allowed = `a time of at least ${minimum} ms, such as 5000, "5 seconds" or "Infinity",`
  // Fast and common; also keeps NaN away from Duration, which reads it as zero.
  if (typeof given === "number") {
    if (given >= minimum) return given
    throw wrong(option, given, allowed)
  }
  let value: number
  try {
    value = isTimeParts(given) ? Duration.toMillis(Duration.fromInputUnsafe(given)) : Number.NaN
  } catch {
    throw wrong(option, given, allowed)
  }
  if (!(value >= minimum) || given === "-Infinity") throw wrong(option, given, allowed)
  return value
}

const count = (option: string, given: number | undefined, fallback: number, minimum: number): number => {
  if (given === undefined) return fallback
  if (given === Infinity || (Number.isSafeInteger(given) && given >= minimum)) return given
  throw wrong(option, given, `a whole number of at least ${minimum}, or Infinity,`)
}
const flag = (option: string, given: boolean | undefined, fallback: boolean): boolean => {
  if (given === undefined) return fallback
  if (typeof given !== "boolean") throw wrong(option, given, "true or false")
  return given
}
const busyWords: ReadonlySet<unknown> = new Set([
  "queue",
  "reject",
  "replace",
  "overlap",
] satisfies Array<WhenBusy>)
const whenBusyOf = (option: string, given: WhenBusy | undefined, fallback: WhenBusy): WhenBusy => {
  if (given === undefined) return fallback
  if (!busyWords.has(given)) throw wrong(option, given, `one of ${[...busyWords].join(", ")}`)
  return given
}

const shareOf = (option: string, given: number | undefined, fallback: number): number => {
  if (given === undefined) return fallback
  if (typeof given === "number" && given >= 0 && given <= 1) return given
  throw wrong(option, given, "a number from 0 to 1")
}
const onLeakOf = (given: "reopen" | "wait" | undefined): "reopen" | "wait" => {
  if (given === undefined || given === "reopen" || given === "wait") return given ?? "reopen"
  throw wrong("onLeak", given, '"reopen" or "wait"')
}
const storeOf = (given: SessionStore | undefined): SessionStore | undefined => {
  if (given === undefined) return undefined
  checkObject("store", given)
  for (const name of ["load", "save", "remove"] as const) checkedFunction(`store.${name}`, given[name])
  if (given.setAside !== undefined) checkedFunction("store.setAside", given.setAside)
  return given
}

export const checkedName = (option: string, given: unknown): string => {
  if (typeof given !== "string" || given.length === 0 || given.length > longestName) {
    throw wrong(option, given, `a text of 1 to ${longestName} characters`)
  }
  return given
}
export const checkedFunction = (option: string, given: unknown): void => {
  if (typeof given !== "function") throw wrong(option, given, "a function")
}

const timeoutsOf = (given: Timeouts | undefined): ResolvedTimeouts => {
  const timeouts: Timeouts = given === undefined ? {} : given
  checkObject("timeouts", timeouts)
  checkNames("timeouts.", timeouts, ["seat", "queue", "open", "silence", "stall", "lease", "grace", "close"])
  const of = (name: keyof Timeouts, fallback: number, minimum: number): number =>
    milliseconds(`timeouts.${name}`, timeouts[name], fallback, minimum)
  return {
    seat: of("seat", 5 * second, 0),
    queue: of("queue", 5 * minute, 0),
    open: of("open", 30 * second, 1),
    silence: of("silence", 5 * minute, 1),
    stall: of("stall", 30 * second, 1),
    lease: of("lease", 60 * minute, 1),
    grace: of("grace", 5 * second, 0),
    close: of("close", 15 * second, 1),
  }
}

const restartOf = (given: Restart | false | undefined): ResolvedRestart => {
  const restart: Restart = given === false || given === undefined ? {} : given
  checkObject("restart", restart)
  checkNames("restart.", restart, ["times", "within", "delay", "maxDelay", "quarantine", "eager"])
  return {
    times: count("restart.times", restart.times, 5, 0),
    within: milliseconds("restart.within", restart.within, minute, 1),
    delay: milliseconds("restart.delay", restart.delay, 100),
    maxDelay: milliseconds("restart.maxDelay", restart.maxDelay, 30 * second),
    quarantine: milliseconds("restart.quarantine", restart.quarantine, 30 * second),
    eager: flag("restart.eager", restart.eager, false),
  }
}

const policyNames = [
  "whenBusy",
  "concurrency",
  "maxQueued",
  "idleTimeout",
  "maxSessions",
  "maxPerOwner",
  "maxAge",
  "maxTurns",
  "maxHeap",
  "onLeak",
  "maxLeaked",
  "store",
  "timeouts",
  "restart",
] as const satisfies ReadonlyArray<keyof Policy>

/** `also`: what else the options may hold, checked by the face that knows it. */
export const resolvePolicy = (given: Policy, also: ReadonlyArray<string>): ResolvedPolicy => {
  checkObject("options", given)
  checkNames("", given, [...also, ...policyNames])
  return {
    whenBusy: whenBusyOf("whenBusy", given.whenBusy, "queue"),
    concurrency: count("concurrency", given.concurrency, 1, 1),
    maxQueued: count("maxQueued", given.maxQueued, 64, 0),
    idleTimeout: milliseconds("idleTimeout", given.idleTimeout, 15 * minute),
    maxSessions: count("maxSessions", given.maxSessions, 10_000, 1),
    maxPerOwner: count("maxPerOwner", given.maxPerOwner, Infinity, 1),
    maxAge: milliseconds("maxAge", given.maxAge, Infinity, 1),
    maxTurns: count("maxTurns", given.maxTurns, Infinity, 1),
    maxHeap: shareOf("maxHeap", given.maxHeap, 1),
    onLeak: onLeakOf(given.onLeak),
    maxLeaked: count("maxLeaked", given.maxLeaked, 100, 1),
    store: storeOf(given.store),
    timeouts: timeoutsOf(given.timeouts),
    restart: restartOf(given.restart),
    rebuild: given.restart !== false,
  }
}

/** How one call is to be taken; the same object for all calls without options. */
export interface Call {
  readonly name: string | undefined
  readonly signal: CallerSignal | undefined
  readonly timeout: number
  readonly silence: number
  readonly whenBusy: WhenBusy
  readonly mustExist: boolean
  readonly idempotent: boolean
  readonly detach: boolean
}
export const defaultCall = (policy: ResolvedPolicy): Call => ({
  name: undefined,
  signal: undefined,
  timeout: Infinity,
  silence: policy.timeouts.silence,
  whenBusy: policy.whenBusy,
  mustExist: false,
  idempotent: false,
  detach: false,
})

const callNames = [
  "name",
  "signal",
  "timeout",
  "silence",
  "whenBusy",
  "mustExist",
  "idempotent",
  "detach",
] as const satisfies ReadonlyArray<keyof RunOptions>
/** Also one of another realm, or a host's own. */
const isSignal = (value: unknown): value is CallerSignal =>
  typeof value === "object" &&
  value !== null &&
  "aborted" in value &&
  "addEventListener" in value &&
  typeof value.addEventListener === "function"

export const atNames: ReadonlyArray<string> = [...callNames, "after", "stream"]
export const streamNames: ReadonlyArray<string> = [...callNames, "resumable"]

/** `known`: the names that are options of this call. */
export const resolveCall = (
  fallback: Call,
  given: AtOptions | undefined,
  known: ReadonlyArray<string> = callNames,
): Call => {
  if (given === undefined) return fallback
  checkObject("options", given)
  checkNames("", given, known)
  if (given.signal !== undefined && !isSignal(given.signal))
    throw wrong("signal", given.signal, "an AbortSignal")
  return {
    name: given.name === undefined ? fallback.name : checkedName("name", given.name),
    signal: given.signal ?? fallback.signal,
    timeout: milliseconds("timeout", given.timeout, fallback.timeout),
    silence: milliseconds("silence", given.silence, fallback.silence, 1),
    whenBusy: whenBusyOf("whenBusy", given.whenBusy, fallback.whenBusy),
    mustExist: flag("mustExist", given.mustExist, fallback.mustExist),
    idempotent: flag("idempotent", given.idempotent, fallback.idempotent),
    detach: flag("detach", given.detach, fallback.detach),
  }
}

/** What is kept of a resumable stream; undefined: it is not. */
export interface Kept {
  readonly items: number
  readonly keep: number
}
export const resolveKept = (given: StreamOptions["resumable"]): Kept | undefined => {
  if (given === undefined || given === false) return undefined
  const resumable = given === true ? {} : given
  checkObject("resumable", resumable)
  checkNames("resumable.", resumable, ["items", "keep"])
  return {
    items: count("resumable.items", resumable.items, 10_000, 1),
    keep: milliseconds("resumable.keep", resumable.keep, minute),
  }
}
export interface ResolvedProbe {
  readonly trustFor: number
  readonly every: number
  readonly timeout: number
}
export const resolveProbe = (given: ProbeOptions | undefined): ResolvedProbe => {
  resolveNames(given, ["trustFor", "every", "timeout"])
  return {
    trustFor: milliseconds("trustFor", given?.trustFor, 10 * second),
    every: milliseconds("every", given?.every, Infinity, 1),
    timeout: milliseconds("timeout", given?.timeout, 5 * second, 1),
  }
}
export const resolveFinishWithin = (given: CloseOptions | undefined, fallback: number): number => {
  if (given === undefined) return fallback
  checkObject("options", given)
  checkNames("", given, ["finishWithin"])
  return milliseconds("finishWithin", given.finishWithin, fallback)
}
export const resolveNames = (given: object | undefined, known: ReadonlyArray<string>): void => {
  if (given === undefined) return
  checkObject("options", given)
  checkNames("", given, known)
}
/** A whole number, checked where one is given. */
export const wholeNumber = count
