import { isSessionError } from "@sojourn/core"
import {
  checkedProblemOptions,
  hasLeft,
  isClientGone,
  ofAnotherBody,
  problemAnswer,
  type ProblemOptions,
} from "@sojourn/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Next } from "./route.ts"

export type SessionErrorHandler = (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: Next,
) => void

/**
 * Turns errors of ours into a status, `Retry-After` where a time is known, and `application/problem+json` (RFC 9457)
 * with `error: { tag, reason }`: no message, key, stack or cause. When the client has left there is nobody to answer;
 * when the headers are sent, or the error is not ours, the next handler gets it. Mount it last.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sessionErrors = (given: ProblemOptions = {}): SessionErrorHandler => {
  const options = checkedProblemOptions(given)
  return (error, _req, res, next) => {
    if (!isSessionError(error)) {
      if (!isClientGone(res, error)) next(error)
      return
    }
    if (hasLeft(res)) return
    if (res.headersSent) {
      next(error)
      return
    }
    const { status, headers, body } = problemAnswer(error, options)
    for (const name of ofAnotherBody) res.removeHeader(name)
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    res.setHeader("content-length", Buffer.byteLength(body))
    res.statusCode = status
    res.end(body)
  }
}
