import { readiness as readinessOf, type ReadinessOptions } from "@sojourn/http"
import type { AnyContext } from "./hono.ts"

export type ReadinessHandler = (c: AnyContext) => Response

/**
 * For the probe of a load balancer: 200 `{ status: "ready" }`, or 503 `{ status: "draining" }` from the moment a drain
 * begins.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const readiness = (options: ReadinessOptions = {}): ReadinessHandler => {
  const state = readinessOf(options)
  return (c) => {
    const { status, body } = state()
    return c.json(body, status, { "cache-control": "no-store" })
  }
}
