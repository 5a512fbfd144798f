import type { SessionStream } from "@sojourn/core"
import { SseFeed, sseHeaders, type SseOptions } from "@sojourn/http"
import type { ServerResponse } from "node:http"
import { answer } from "./answer.ts"

/**
 * Answers with server-sent events: an id for each element (`stream:index`, which `fromRequest` understands when the
 * browser comes back), a comment every 15 seconds, at the client's pace. `undefined`, what `resume` gives when nothing
 * runs: 204, at which an `EventSource` stops asking.
 *
 * Headers wait until the turn has begun: what keeps it from beginning rejects here, and is still a status. What goes
 * wrong later becomes an `event: error` with `{ error: { tag, reason } }` as data; an error that is not ours is also
 * thrown once that is sent, for your own logging. A client that leaves cancels the stream, unless it is resumable.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sendSse = async <A>(
  res: ServerResponse,
  stream: SessionStream<A> | undefined,
  options: SseOptions<A> = {},
): Promise<void> => {
  if (stream === undefined) return nothing(res)
  const feed = new SseFeed(stream, options)
  await answer(res, feed, async () => {
    await stream.started
    return sseHeaders(options.headers)
  })
  if (feed.failure !== undefined) throw feed.failure.error
}

const nothing = (res: ServerResponse): void => {
  res.setHeader("cache-control", "no-store")
  res.statusCode = 204
  res.end()
}
