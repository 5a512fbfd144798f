import { readiness as readinessOf, type ReadinessOptions } from "@sojourn/http"
import type { AnyReply, AnyRequest } from "./fastify.ts"

export type ReadinessHandler = (request: AnyRequest, reply: AnyReply) => void

/**
 * For the probe of a load balancer: 200 `{ status: "ready" }`, or 503 `{ status: "draining" }` from the moment a drain
 * begins.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const readiness = (options: ReadinessOptions = {}): ReadinessHandler => {
  const state = readinessOf(options)
  return (_request, reply) => {
    const { status, body } = state()
    reply.code(status).header("cache-control", "no-store").send(body)
  }
}
