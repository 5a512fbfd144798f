import type { SessionStream } from "@sojourn/core"
import { SseFeed, sseHeaders, type SseOptions } from "@sojourn/http"
import { answer, type ToldLate } from "./answer.ts"
import type { AnyContext } from "./hono.ts"

export type SendSseOptions<A> = SseOptions<A> & ToldLate

/**
 * An answer of server-sent events: an id for each element (`stream:index`, which `fromRequest` understands when the
 * browser comes back), a comment every 15 seconds, at the client's pace. `undefined`, what `resume` gives when nothing
 * runs: 204, at which an `EventSource` stops asking.
 *
 * Resolves when the turn has begun: what keeps it from beginning rejects here, and is still a status. What goes wrong
 * later becomes an `event: error` with `{ error: { tag, reason } }` as data; an error that is not ours also goes to
 * `onError`. A client that leaves cancels the stream, unless it is resumable.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sendSse = async <A>(
  c: AnyContext,
  stream: SessionStream<A> | undefined,
  { onError, ...options }: SendSseOptions<A> = {},
): Promise<Response> => {
  if (stream === undefined) return c.body(null, 204, { "cache-control": "no-store" })
  return answer(c, new SseFeed(stream, options), onError, async () => {
    await stream.started
    return sseHeaders(options.headers)
  })
}
