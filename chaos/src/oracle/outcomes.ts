/** Each outcome is true: what a caller was told is what became of its work. */
import { SessionMisuse, SessionOpenFailed, SessionRefused, TaskStopped } from "@sojourn/core"
import { callName, place, shown } from "../book/names.ts"
import type { Call, Moment } from "../book/types.ts"
import type { Facts, Found, KeyFacts } from "./Facts.ts"
import { rounding } from "./slack.ts"

export function* outcomes(facts: Facts): Found {
  for (const key of facts.keys.values()) {
    for (const call of key.calls) {
      const about = place(call.site, call.key)
      for (const what of judge(facts, key, call)) yield { what: `${callName(call)} ${what}`, about }
    }
  }
}

function* judge(facts: Facts, key: KeyFacts, call: Call): Generator<string> {
  const { told } = call
  if (told === undefined || call.verb === "background") return
  const started = call.starts.length > 0
  const { stream } = call
  if (stream?.begun !== undefined && stream.begun !== started)
    yield `says started: ${stream.begun}, its source was called ${call.starts.length} times`
  if (stream?.left === true) return
  if (told.fulfilled) {
    if (call.verb === "lease") return
    const end = call.ends.at(-1)
    if (end === undefined || !end.returned || end.moment.tick > told.moment.tick)
      yield "succeeded, its body had not returned"
    else if (end.value !== told.value) yield "succeeded with another value than its body returned"
    else if (stream !== undefined && stream.taken !== stream.given)
      yield `gave ${stream.given} elements, its consumer got ${stream.taken}`
    return
  }
  const { value } = told
  if (call.aborted !== undefined && value === call.aborted.reason) return
  if (call.ends.some((end) => !end.returned && end.value === value && end.value !== undefined)) return
  if (value instanceof TaskStopped) yield* judgeStopped(facts, key, call, value)
  else if (
    value instanceof SessionRefused ||
    value instanceof SessionOpenFailed ||
    value instanceof SessionMisuse
  ) {
    // A reader of what is kept may come too late for its beginning, however well the source does.
    if (call.resumable && value.reason === "ReplayGap") return
    if (started) yield `was refused (${shown(value)}), but its body ran`
    const wrong = whyNot(facts, key, call, value)
    if (wrong !== undefined) yield `was told ${value._tag} ${value.reason}, but ${wrong}`
  } else yield `was told ${shown(value)}, which is neither ours nor its own`
}

const ours = new Set(["Closed", "Restarted", "Drained", "Broken", "Silent"])

function* judgeStopped(facts: Facts, key: KeyFacts, call: Call, error: TaskStopped): Generator<string> {
  const { told } = call
  const started = call.starts.length > 0
  if (error.started !== started)
    yield `was told started: ${error.started}, its body ran ${call.starts.length} times`
  const wrong = whyNotStopped(facts, key, call, error)
  if (wrong !== undefined) yield `was told TaskStopped ${error.reason}, but ${wrong}`
  if (ours.has(error.reason) && told !== undefined) yield* judgeOurStop(call, error, told.moment)
}
/** Told when the work ended, or when it was abandoned. */
function* judgeOurStop(call: Call, error: TaskStopped, told: Moment): Generator<string> {
  if (call.starts.length === 0) yield `was stopped (${error.reason}), but never ran`
  const end = call.ends.at(-1)
  const ended = call.ends.length === call.starts.length && end !== undefined
  if (error.abandoned) {
    // A stream's consumer hears of it when it asks for more.
    if (
      call.stream === undefined &&
      ended &&
      end.moment.tick < told.tick &&
      told.at - end.moment.at > rounding
    )
      yield "is called abandoned, but it had ended"
  } else if (!ended || end.moment.tick > told.tick) {
    yield `was told ${error.reason} while it ran, and nobody abandoned it`
  } else if (call.stream !== undefined) {
    // Told to stop, a source that comes to its end has not given all it had.
  } else if (end.returned) yield `returned a value, its caller was told ${error.reason}`
  else if (error.cause !== end.value && !(call.idempotent && isRefusal(error.cause)))
    yield "was told another cause than its body threw"
}

/** Why an idempotent task was not started once more. */
const isRefusal = (cause: unknown): boolean =>
  cause instanceof SessionRefused || cause instanceof SessionOpenFailed || cause instanceof SessionMisuse

/** Why it cannot have been stopped for that; undefined: it can. */
const whyNotStopped = (facts: Facts, key: KeyFacts, call: Call, error: TaskStopped): string | undefined => {
  const { told } = call
  switch (error.reason) {
    case "Timeout": {
      if (call.timeout === undefined || told === undefined) return "it had no timeout"
      const after = told.moment.at - call.handed.at
      return after < call.timeout - rounding ? `only ${after} ms had passed` : undefined
    }
    case "Replaced":
      return key.calls.some((other) => other.whenBusy === "replace" && other !== call)
        ? undefined
        : "nobody replaced it"
    case "Cancelled":
      return key.asks.some((ask) => ask.verb === "cancel") ? undefined : "nobody cancelled it"
    case "CallerStopped":
      return call.parent === undefined && call.fromLife === undefined ? "no turn had made it" : undefined
    case "Stalled":
      return call.stream === undefined ? "it is no stream" : undefined
    case "Drained":
      return facts.drainsOf(call.site).length === 0 ? "nobody drained" : undefined
    case "Closed":
    case "Restarted":
    case "Broken":
    case "Silent":
      return undefined
  }
}

/** Why it cannot have been refused for that; undefined: it can. */
const whyNot = (
  facts: Facts,
  key: KeyFacts,
  call: Call,
  error: SessionRefused | SessionOpenFailed | SessionMisuse,
): string | undefined => {
  switch (error.reason) {
    case "Busy":
      return call.whenBusy === "reject" ? undefined : "it would have waited"
    case "NotFound":
      return call.mustExist ? undefined : "it may open one"
    case "LeaseEnded":
      return call.boundTo === undefined ? "it was no lease's" : undefined
    case "MaxPerOwner":
      return call.key.includes("~") ? undefined : "its key has no owner"
    case "Draining":
      return facts.drainsOf(call.site).length === 0 ? "nobody drained" : undefined
    case "ReentrantRun":
      return call.parent === undefined && call.fromLife === undefined ? "no turn had made it" : undefined
    case "Failed":
      if (facts.outages.has(call.site) && facts.failures.get(call.site)?.has(error.cause) === true)
        return undefined
      return causeOfOpening(key, error.cause) ? undefined : `no opening had failed with ${shown(error.cause)}`
    case "TimedOut":
      return error.cause === undefined ? undefined : `it has a cause, ${shown(error.cause)}`
    case "ReentrantClose":
    case "InvalidKey":
    case "InvalidOption":
    case "TaskEnded":
    case "ReplayGap":
    case "MaxNewOwners":
      return "a call of this kind cannot be"
    case "MaxHeap":
    case "MaxLeaked":
    case "MaxSessions":
    case "MaxQueued":
    case "QueueTimeout":
    case "Quarantined":
      return undefined
    case "Closed":
      return wasClosed(key, call) ? undefined : "nobody closed its session while it waited"
  }
}

/** Only an end for good refuses who waits: a session that is replaced takes its queue along. */
const wasClosed = (key: KeyFacts, call: Call): boolean => {
  const { handed, told } = call
  if (told === undefined) return false
  const meanwhile = ({ at, tick }: Moment): boolean => tick > handed.tick && at <= told.moment.at + rounding
  const forGood = ({ reason }: KeyFacts["closings"][number]): boolean =>
    reason === "Requested" ||
    reason === "Drained" ||
    (!call.site.terms.rebuilds && (reason === "Broken" || reason === "Unresponsive"))
  return (
    key.asks.some(({ asked, verb }) => verb === "close" && meanwhile(asked)) ||
    key.closings.some((closing) => forGood(closing) && meanwhile(closing.moment)) ||
    key.calls.some(({ closes, ends }) => closes && ends.some(({ moment }) => meanwhile(moment)))
  )
}

/** Thrown by an opening of this very key, said to have broken it, or of the engine's own making and heard as an event. */
const causeOfOpening = (key: KeyFacts, cause: unknown): boolean =>
  key.causes.has(cause) ||
  key.lives.some(
    ({ declared, openEnded }) =>
      (openEnded?.returned === false && openEnded.value === cause) || declared.includes(cause),
  )
