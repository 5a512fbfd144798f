import {
  bindSession,
  checkMadeInHandler,
  keyFinder,
  presenceOf,
  type FromRequestOptions,
  type Reachable,
} from "@sojourn/http"
import type { AnyReply, AnyRequest, KeyFrom } from "./fastify.ts"

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
): ((request: AnyRequest, reply: AnyReply, options?: FromRequestOptions) => Handle) => {
  checkMadeInHandler(sessions)
  const keyFor = keyFinder(from, (request) => request)
  return (request, reply, options) =>
    bindSession(
      sessions,
      keyFor(request, reply),
      { gone: () => presenceOf(reply.raw), lastEventId: request.headers["last-event-id"] },
      options,
    )
}
