import {
  bindSession,
  checkMadeInHandler,
  keyFinder,
  type FromRequestOptions,
  type Reachable,
} from "@sojourn/http"
import { asSent, gone, type AnyContext, type KeyFrom } from "./hono.ts"

/**
 * The session of a request: the registry's own handle, bound to the key, to the client's presence and to its
 * `Last-Event-ID`. Opens nothing; the same request gives the same key.
 *
 * `Last-Event-ID` counts for `resume` alone: `stream:index`, as `sendSse` writes it, names the stream and where to go
 * on; a plain whole number is a place in the newest one. Anything else is ignored.
 *
 * @throws SessionMisuse `InvalidOption`; from a request: `InvalidKey`, with `status` 401 without owner, 400 without id.
 * `sessionErrors` answers with it.
 */
export const fromRequest = <Handle>(
  sessions: Reachable<Handle>,
  from: KeyFrom,
): ((c: AnyContext, options?: FromRequestOptions) => Handle) => {
  checkMadeInHandler(sessions)
  const keyFor = keyFinder(from, asSent)
  return (c, options) =>
    bindSession(
      sessions,
      keyFor(c),
      { gone: () => gone(c), lastEventId: c.req.header("last-event-id") },
      options,
    )
}
