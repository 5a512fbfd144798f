import type { SessionKey } from "@sojourn/core"
import { asSent, gone, type AnyContext, type KeyFrom } from "./hono.ts"
import { keyFinder } from "@sojourn/http"

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
export const requestKey = (from: KeyFrom): ((c: AnyContext) => RequestKey) => {
  const keyFor = keyFinder(from, asSent)
  return (c) => ({ key: keyFor(c), signal: gone(c) })
}
