import type { SessionStream } from "@sojourn/core"
import { SseFeed, sseHeaders, type SseOptions } from "@sojourn/http"
import { answer } from "./answer.ts"
import type { AnyReply } from "./fastify.ts"

/**
 * Answers with server-sent events: an id for each element (`stream:index`, which `fromRequest` understands when the
 * browser comes back), a comment every 15 seconds, at the client's pace. `undefined`, what `resume` gives when nothing
 * runs: 204, at which an `EventSource` stops asking.
 *
 * Headers wait until the turn has begun: what keeps it from beginning rejects here, and is still a status. What goes
 * wrong later becomes an `event: error` with `{ error: { tag, reason } }` as data; an error that is not ours also goes to
 * `request.log`. A client that leaves cancels the stream, unless it is resumable.
 *
 * Return it from the handler, or await it there: it resolves when the answer is complete or given up.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sendSse = async <A>(
  reply: AnyReply,
  stream: SessionStream<A> | undefined,
  options: SseOptions<A> = {},
): Promise<void> => {
  if (stream === undefined) {
    await reply.code(204).header("cache-control", "no-store").send()
    return
  }
  const feed = new SseFeed(stream, options)
  await answer(reply, feed, async () => {
    await stream.started
    return sseHeaders(options.headers)
  })
  if (feed.failure !== undefined)
    reply.request.log.error({ err: feed.failure.error }, "a session's stream failed")
}
