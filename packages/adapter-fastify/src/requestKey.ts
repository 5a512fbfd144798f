import type { SessionKey } from "@sojourn/core"
import { clientGone, keyFinder } from "@sojourn/http"
import type { AnyReply, AnyRequest, KeyFrom } from "./fastify.ts"

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
export const requestKey = (from: KeyFrom): ((request: AnyRequest, reply: AnyReply) => RequestKey) => {
  const keyFor = keyFinder(from, (request) => request)
  return (request, reply) => ({ key: keyFor(request, reply), signal: clientGone(reply.raw) })
}
