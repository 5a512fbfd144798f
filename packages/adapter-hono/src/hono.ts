import { clientGone, type AsSent, type KeyFrom as KeyFromOf, type NodeResponse } from "@sojourn/http"
import type { Context } from "hono"

// Hono types a context by its application and its route; whatever they are, its session is found in the same way.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyContext = Context<any, any, any>

/** Where the two parts of a key come from. */
export type KeyFrom = KeyFromOf<[c: AnyContext]>

/** Node's own answer, as `@hono/node-server` binds it; none where the application is called without a server, as its tests may. */
export const nodeAnswer = (c: AnyContext): NodeResponse | undefined => {
  const bindings: { readonly outgoing?: NodeResponse } = c.env?.server ?? c.env ?? {}
  return bindings.outgoing
}

/** The request's own signal aborts at the same moments, but with a text as its reason, which `app.onError` is not told. */
export const gone = (c: AnyContext): AbortSignal => {
  const node = nodeAnswer(c)
  return node === undefined ? c.req.raw.signal : clientGone(node)
}

/** What the answer has been given so far. Reading `c.res` would make one, whose headers then win over those of the real one. */
export const headersSoFar = (c: AnyContext): Headers => c.newResponse(null).headers

/** The request as its client wrote it. */
export const asSent = (c: AnyContext): AsSent => ({ headers: c.req.header(), query: c.req.query() })
