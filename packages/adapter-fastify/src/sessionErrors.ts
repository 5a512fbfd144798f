import { isSessionError } from "@sojourn/core"
import {
  checkedProblemOptions,
  hasLeft,
  isClientGone,
  ofAnotherBody,
  problemAnswer,
  type ProblemOptions,
} from "@sojourn/http"
import type { AnyReply, AnyRequest } from "./fastify.ts"

export type SessionErrorHandler = (error: unknown, request: AnyRequest, reply: AnyReply) => void

/**
 * For `setErrorHandler`: turns errors of ours into a status, `Retry-After` where a time is known, and
 * `application/problem+json` (RFC 9457) with `error: { tag, reason }`: no message, key, stack or cause. When the client
 * has left there is nobody to answer; when the headers are sent, or the error is not ours, the handler of the parent gets
 * it, in the end Fastify's own.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sessionErrors = (given: ProblemOptions = {}): SessionErrorHandler => {
  const options = checkedProblemOptions(given)
  return (error, _request, reply) => {
    if (!isSessionError(error)) {
      if (isClientGone(reply.raw, error)) return
      throw error
    }
    if (hasLeft(reply.raw)) return
    if (reply.raw.headersSent) throw error
    const { status, headers, body } = problemAnswer(error, options)
    for (const name of ofAnotherBody) reply.removeHeader(name)
    // As bytes: Fastify serializes a text once more where the route has a serializer, and adds a charset to its type.
    reply.code(status).headers(headers).send(Buffer.from(body))
  }
}
