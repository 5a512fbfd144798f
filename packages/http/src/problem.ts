/** What a client is told of an error of ours, as RFC 9457 has it: no message, key, stack or cause. */
import {
  isSessionError,
  type Options,
  type SessionError,
  type SessionMisuse,
  type SessionMisuseReason,
  type SessionRef,
} from "@sojourn/core"
import {
  checkedFunction,
  checkObject,
  invalidOption,
  keyHash,
  resolveNames,
  sessionMisuseReasons,
} from "@sojourn/core/host"

export type OurError = SessionError | SessionMisuse
type Reason = OurError["reason"]

/** The body of an answer, `application/problem+json`. */
export interface Problem {
  /** `urn:problem-type:sojourn:` and the reason. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly error: { readonly tag: string; readonly reason: string }
}

/** For a log of yours: which session, without its key. */
export interface ProblemReport {
  readonly status: number
  readonly tag: OurError["_tag"]
  readonly reason: Reason
  /** `keyHash` of the session; undefined when there was none. */
  readonly session: string | undefined
  /** The registry's name. */
  readonly name: string | undefined
  /** Milliseconds. */
  readonly retryAfter: number | undefined
  readonly error: OurError
}

export type ProblemOptions = Options<{
  /** Instead of our own status for a reason: 400 to 599. */
  readonly statuses: { readonly [K in Reason]?: number }
  /**
   * Instead of our own body; a text is sent as it is, as `text/plain`. Where it throws, or what it gives cannot be written
   * as JSON, the answer has our own.
   */
  readonly body: (problem: Problem, error: OurError) => object | string
  /** Told of each error of ours that became an answer. What it throws or rejects with is ignored. */
  readonly report: (report: ProblemReport) => unknown
}>

const unavailable = "The session is not available now. Try again later."
const tooLong = "The request took too long."

/** Status and a sentence for who asked; each reason has one. */
const known: {
  readonly [K in Exclude<Reason, SessionMisuseReason>]: readonly [status: number, title: string]
} = {
  MaxPerOwner: [429, "You have as many sessions as you may have."],
  MaxQueued: [429, "Too many requests wait in this session."],
  MaxNewOwners: [429, "Too many new visitors come from your address."],
  Busy: [409, "The session is busy with another request."],
  Replaced: [409, "A newer request took this one's place."],
  Cancelled: [409, "The request was cancelled."],
  NotFound: [404, "There is no such session."],
  LeaseEnded: [404, "The session that was held is over."],
  ReplayGap: [410, "That part of the stream is no longer kept."],
  Timeout: [504, tooLong],
  Silent: [504, tooLong],
  QueueTimeout: [504, "The request waited too long for its turn."],
  MaxSessions: [503, unavailable],
  MaxHeap: [503, unavailable],
  MaxLeaked: [503, unavailable],
  Quarantined: [503, unavailable],
  Draining: [503, unavailable],
  Closed: [503, unavailable],
  Failed: [503, unavailable],
  TimedOut: [503, unavailable],
  Stalled: [503, unavailable],
  CallerStopped: [503, unavailable],
  Restarted: [503, unavailable],
  Drained: [503, unavailable],
  Broken: [503, unavailable],
}
const reasons: ReadonlySet<string> = new Set([...Object.keys(known), ...sessionMisuseReasons])
const ownFault = "The server made a mistake."
const badRequest: { readonly [status: number]: string } = {
  400: "The request does not say which session it is for.",
  401: "The request does not say who is asking.",
}

/** The answer to an error of ours. */
export interface ProblemAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const problemOf = (error: OurError, options: ProblemOptions = {}): Problem => {
  const [status, title] = answerTo(error)
  return {
    type: `urn:problem-type:sojourn:${kebab(error.reason)}`,
    title,
    status: options.statuses?.[error.reason] ?? status,
    error: { tag: error._tag, reason: error.reason },
  }
}
const answerTo = (error: OurError): readonly [status: number, title: string] => {
  // Another copy of core may know a reason that this one does not.
  if (error._tag !== "SessionMisuse") return known[error.reason] ?? [503, unavailable]
  // The client's mistake only where the key of its request was refused; any other misuse is the application's.
  const status = "status" in error && (error.status === 400 || error.status === 401) ? error.status : 500
  return [status, badRequest[status] ?? ownFault]
}
const kebab = (reason: string): string => reason.replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase()

/**
 * For who makes a host: what is wrong is said when the application starts, not with its first error.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const checkedProblemOptions = (options: ProblemOptions): ProblemOptions => {
  checkObject("options", options)
  resolveNames(options, ["statuses", "body", "report"])
  const { statuses = {}, body, report } = options
  checkObject("statuses", statuses)
  for (const [reason, status] of Object.entries(statuses)) {
    if (!reasons.has(reason)) throw invalidOption(`statuses.${reason}: there is no such reason.`)
    if (status !== undefined && !(Number.isInteger(status) && status >= 400 && status <= 599))
      throw invalidOption(`statuses.${reason}: a whole number from 400 to 599 is allowed.`)
  }
  if (body !== undefined) checkedFunction("body", body)
  if (report !== undefined) checkedFunction("report", report)
  return options
}

/** Headers that a handler may have said of the body it then did not send: remove them before the answer to its error. */
export const ofAnotherBody: ReadonlyArray<string> = [
  "accept-ranges",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-range",
  "etag",
  "last-modified",
]

/** The answer to an error of ours. What the application's own functions throw never gets in its way. */
export const problemAnswer = (error: OurError, options: ProblemOptions = {}): ProblemAnswer => {
  const problem = problemOf(error, options)
  // Before the application has it in its hands.
  const { status } = problem
  const own = { type: problemJson, text: JSON.stringify(problem) }
  tell(options.report, status, error)
  const { type, text } = bodyBy(options.body, problem, error) ?? own
  return {
    status,
    // 404 and 410 may be kept by caches unless told otherwise.
    headers: { "content-type": type, "cache-control": "no-store", ...retryAfter(error) },
    body: text,
  }
}
const problemJson = "application/problem+json"

const bodyBy = (
  make: ProblemOptions["body"],
  problem: Problem,
  error: OurError,
): { readonly type: string; readonly text: string } | undefined => {
  if (make === undefined) return undefined
  try {
    const body: unknown = make(problem, error)
    if (typeof body === "string") return { type: "text/plain; charset=utf-8", text: body }
    ignoreRejection(body)
    if (typeof body !== "object" || body === null || body instanceof Promise) return undefined
    const text: string | undefined = JSON.stringify(body)
    return text === undefined
      ? undefined
      : { type: body === problem ? problemJson : "application/json", text }
  } catch {
    return undefined
  }
}
/** It is too late to wait for it, and what it rejects with would end the process. */
const ignoreRejection = (value: unknown): void => {
  if (value instanceof Promise) value.catch(() => {})
}

/** Whole seconds, never early: who comes back too soon is refused once more. */
const retryAfter = ({ retryAfter: wait }: OurError): { readonly "retry-after"?: string } =>
  wait !== undefined && Number.isFinite(wait)
    ? { "retry-after": String(Math.min(Math.max(Math.ceil(wait / 1000), 0), longestWait)) }
    : {}
/** Seconds. A larger number would at last be written with an exponent, which the header does not know. */
const longestWait = 2 ** 31 - 1

const tell = (report: ProblemOptions["report"], status: number, error: OurError): void => {
  if (report === undefined) return
  const { name, key }: SessionRef = error.session
  try {
    ignoreRejection(
      report({
        status,
        tag: error._tag,
        reason: error.reason,
        session: key === "" ? undefined : keyHash(error.session),
        name: name === "" ? undefined : name,
        retryAfter: error.retryAfter,
        error,
      }),
    )
  } catch {
    // An answer does not depend on a log.
  }
}

/** What goes into a stream that fails once its headers are sent. */
export const publicError = (error: unknown): Pick<Problem, "error"> => ({
  error: isSessionError(error)
    ? { tag: error._tag, reason: error.reason }
    : { tag: "Error", reason: "Failed" },
})
