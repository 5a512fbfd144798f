import { readiness as readinessOf, type ReadinessOptions } from "@sojourn/http"
import type { IncomingMessage, ServerResponse } from "node:http"

export type ReadinessHandler = (req: IncomingMessage, res: ServerResponse) => void

/**
 * For the probe of a load balancer: 200 `{ status: "ready" }`, or 503 `{ status: "draining" }` from the moment a drain
 * begins.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const readiness = (options: ReadinessOptions = {}): ReadinessHandler => {
  const state = readinessOf(options)
  return (_req, res) => {
    const { status, body } = state()
    res.statusCode = status
    res.setHeader("cache-control", "no-store")
    res.setHeader("content-type", "application/json; charset=utf-8")
    res.end(JSON.stringify(body))
  }
}
