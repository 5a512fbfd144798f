import type { AtOptions, Options, SessionKey } from "@sojourn/core"
import type { Response } from "express"
import { clientGone } from "./clientGone.ts"
import { lastEvent } from "./lastEventId.ts"
import { keyOf, type AnyRequest, type KeyFrom } from "./requestKey.ts"

export type FromRequestOptions = Options<{
  /** When the client leaves before the answer is complete: stop the work that only it waits for, or let it go on. "cancel". */
  readonly onDisconnect: "cancel" | "continue"
}>

/**
 * The session of a request: the registry's own handle, bound to the key, to the client's presence and to its
 * `Last-Event-ID`. Opens nothing; the same request gives the same key.
 *
 * `Last-Event-ID` counts for `resume` alone: `stream:index`, as `sendSse` writes it, names the stream and where to go
 * on; a plain whole number is a place in the newest one. Anything else is ignored.
 *
 * @throws SessionMisuse `InvalidKey`, with `status` 401 without owner, 400 without id. Under Express 5 `sessionErrors`
 *   answers with it.
 */
export const fromRequest =
  <Handle>(
    sessions: { readonly at: (key: SessionKey, defaults?: AtOptions) => Handle },
    from: KeyFrom,
  ): ((req: AnyRequest, res: Response, options?: FromRequestOptions) => Handle) =>
  (req, res, options) => {
    const key = keyOf(from, req, res)
    const last = lastEvent(req)
    return sessions.at(key, {
      signal: options?.onDisconnect === "continue" ? undefined : clientGone(res),
      after: last?.index,
      stream: last?.stream,
    })
  }
