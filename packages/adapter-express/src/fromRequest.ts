import {
  bindSession,
  checkMadeInHandler,
  presenceOf,
  type FromRequestOptions,
  type Reachable,
} from "@sojourn/http"
import type { Response } from "express"
import type { AnyRequest, AnyResponse, KeyFrom, RequestFor, ResponseFor, RoutedRequest } from "./express.ts"
import { keyFinder } from "./keyFinder.ts"

/**
 * The session of a request: the registry's own handle, bound to the key, to the client's presence and to its
 * `Last-Event-ID`. Opens nothing; the same request gives the same key.
 *
 * `Last-Event-ID` counts for `resume` alone: `stream:index`, as `sendSse` writes it, names the stream and where to go
 * on; a plain whole number is a place in the newest one. Anything else is ignored.
 *
 * Under Express 4 the handler that asks belongs into `route`.
 *
 * @throws SessionMisuse `InvalidOption`; from a request: `InvalidKey`, with `status` 401 without owner, 400 without id.
 * `sessionErrors` answers with it.
 */
export const fromRequest = <
  Handle,
  Req extends AnyRequest = RoutedRequest,
  Res extends AnyResponse = Response,
>(
  sessions: Reachable<Handle>,
  from: KeyFrom<Req, Res>,
): ((req: RequestFor<Req>, res: ResponseFor<Res>, options?: FromRequestOptions) => Handle) => {
  checkMadeInHandler(sessions)
  const keyFor = keyFinder(from)
  const session = (req: AnyRequest, res: AnyResponse, options?: FromRequestOptions): Handle =>
    bindSession(
      sessions,
      keyFor(req, res),
      { gone: () => presenceOf(res), lastEventId: lastEventIdOf(req) },
      options,
    )
  return session
}

const lastEventIdOf = ({ headers }: AnyRequest): string | undefined => {
  const id = headers["last-event-id"]
  return typeof id === "string" ? id : undefined
}
