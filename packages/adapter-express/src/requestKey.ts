import type { SessionKey } from "@sojourn/core"
import { clientGone } from "@sojourn/http"
import type { Response } from "express"
import type { AnyRequest, AnyResponse, KeyFrom, RequestFor, ResponseFor, RoutedRequest } from "./express.ts"
import { keyFinder } from "./keyFinder.ts"

export interface RequestKey {
  readonly key: SessionKey
  /** Aborts when the client leaves before the answer is complete. */
  readonly signal: AbortSignal
}

/**
 * The parts of `fromRequest`, for sessions that are not reached through a registry's `at`, such as those of the Effect
 * face: the key, and the client's presence.
 *
 * @throws SessionMisuse `InvalidOption`; from a request: `InvalidKey`, as `fromRequest` does.
 */
export const requestKey = <Req extends AnyRequest = RoutedRequest, Res extends AnyResponse = Response>(
  from: KeyFrom<Req, Res>,
): ((req: RequestFor<Req>, res: ResponseFor<Res>) => RequestKey) => {
  const keyFor = keyFinder(from)
  return (req: AnyRequest, res: AnyResponse) => ({ key: keyFor(req, res), signal: clientGone(res) })
}
