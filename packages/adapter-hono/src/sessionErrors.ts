import { isSessionError, type Options } from "@sojourn/core"
import { checkedFunction } from "@sojourn/core/host"
import {
  checkedProblemOptions,
  hasLeft,
  isClientGone,
  ofAnotherBody,
  problemAnswer,
  type ProblemOptions,
} from "@sojourn/http"
import type { ErrorHandler } from "hono"
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status"
import { nodeAnswer } from "./hono.ts"

export type SessionErrorsOptions = ProblemOptions &
  Options<{
    /** Answers errors that are not ours. As Hono does without a handler: an `HTTPException`'s own answer, else a line in the log and 500. */
    readonly otherwise: ErrorHandler
  }>

/**
 * For `app.onError`: turns errors of ours into a status, `Retry-After` where a time is known, and
 * `application/problem+json` (RFC 9457) with `error: { tag, reason }`: no message, key, stack or cause. When the client
 * has left there is nobody to answer. An application of Hono has one handler, so what is not ours goes `otherwise`.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sessionErrors = ({
  otherwise = asHonoDoes,
  ...given
}: SessionErrorsOptions = {}): ErrorHandler => {
  checkedFunction("otherwise", otherwise)
  const options = checkedProblemOptions(given)
  return (error, c) => {
    const node = nodeAnswer(c)
    // Nobody gets it.
    if (node !== undefined && (isClientGone(node, error) || (isSessionError(error) && hasLeft(node))))
      return c.body(null, clientClosedRequest)
    if (!isSessionError(error)) return otherwise(error, c)
    const { status, headers, body } = problemAnswer(error, options)
    for (const name of ["content-length", ...ofAnotherBody]) c.header(name)
    return c.body(body, status as ContentfulStatusCode, headers)
  }
}

/** What nginx writes in its log for it. */
const clientClosedRequest = 499 as StatusCode

const asHonoDoes: ErrorHandler = (error, c) => {
  if ("getResponse" in error) {
    const answer = error.getResponse()
    return c.newResponse(answer.body, answer)
  }
  console.error(error)
  return c.text("Internal Server Error", 500)
}
