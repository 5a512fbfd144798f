import { isSessionError, type SessionError, type SessionMisuse } from "@sojourn/core"
import type { ErrorRequestHandler } from "express"
import { hasLeft, isClientGone } from "./clientGone.ts"

type Ours = SessionError | SessionMisuse

/** What is not listed is 503: not now, perhaps later. */
const statuses: { readonly [K in Ours["reason"]]?: number } = {
  MaxPerOwner: 429,
  MaxQueued: 429,
  Busy: 409,
  Replaced: 409,
  Cancelled: 409,
  NotFound: 404,
  LeaseEnded: 404,
  ReplayGap: 410,
  Timeout: 504,
  Silent: 504,
  QueueTimeout: 504,
}

const statusOf = (error: Ours): number => {
  if (error._tag !== "SessionMisuse") return statuses[error.reason] ?? 503
  // The client's mistake only where `fromRequest` said so: it is about the request, and it is 400 or 401.
  return "status" in error && (error.status === 400 || error.status === 401) ? error.status : 500
}

/** All that a client is told: no message, key, stack or cause. */
export const publicError = (
  error: unknown,
): { readonly error: { readonly tag: string; readonly reason: string } } => ({
  error: isSessionError(error)
    ? { tag: error._tag, reason: error.reason }
    : { tag: "Error", reason: "Failed" },
})

/**
 * Turns errors of ours into a status, `Retry-After` where a time is known, and `{ error: { tag, reason } }`. When the
 * client has left there is nobody to answer; when the headers are sent, or the error is not ours, the next handler gets
 * it. Mount it last.
 */
export const sessionErrors = (): ErrorRequestHandler => (error: unknown, _req, res, next) => {
  if (!isSessionError(error)) {
    if (!isClientGone(res, error)) next(error)
    return
  }
  if (hasLeft(res)) return
  if (res.headersSent) {
    next(error)
    return
  }
  // Whole seconds, never early: who comes back too soon is refused once more.
  if (error.retryAfter !== undefined && Number.isFinite(error.retryAfter)) {
    res.setHeader("retry-after", String(Math.ceil(error.retryAfter / 1000)))
  }
  // 404 and 410 may be kept by caches unless told otherwise.
  res.setHeader("cache-control", "no-store")
  res.status(statusOf(error)).json(publicError(error))
}
