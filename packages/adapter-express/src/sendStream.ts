import type { SessionStream } from "@sojourn/core"
import { BodyFeed, type BodyOptions } from "@sojourn/http"
import type { ServerResponse } from "node:http"
import { answer } from "./answer.ts"

/**
 * Answers with the elements of a stream as they are: texts, bytes, or a line of JSON for each, at the client's pace.
 * For a download, a model's text, NDJSON. It cannot be resumed: for that, `sendSse`.
 *
 * Headers wait for the first element: what goes wrong before it rejects here, and is still a status. What goes wrong
 * later breaks the answer off, so that the client does not take a part for the whole, and rejects. A content type that
 * the answer has already is kept. A client that leaves cancels the stream, unless it is resumable.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sendStream = async <A>(
  res: ServerResponse,
  stream: SessionStream<A>,
  options: BodyOptions<A> = {},
): Promise<void> => {
  const feed = new BodyFeed(stream, options)
  await answer(res, feed, async () => {
    const headers = await feed.headers()
    const type = res.getHeader("content-type")
    // What the handler has said of its answer is no guess.
    return type === undefined ? headers : { ...headers, "content-type": String(type), ...options.headers }
  })
}
