import type { SessionStream } from "@sojourn/core"
import { BodyFeed, type BodyOptions } from "@sojourn/http"
import { answer, type ToldLate } from "./answer.ts"
import { headersSoFar, type AnyContext } from "./hono.ts"

export type SendStreamOptions<A> = BodyOptions<A> & ToldLate

/**
 * An answer of a stream's elements as they are: texts, bytes, or a line of JSON for each, at the client's pace. For a
 * download, a model's text, NDJSON. It cannot be resumed: for that, `sendSse`.
 *
 * Resolves with the first element: what goes wrong before it rejects here, and is still a status. What goes wrong later
 * breaks the answer off, so that the client does not take a part for the whole; an error that is not ours goes to
 * `onError`. A content type that the answer has already is kept. A client that leaves cancels the stream, unless it is
 * resumable.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sendStream = async <A>(
  c: AnyContext,
  stream: SessionStream<A>,
  { onError, ...options }: SendStreamOptions<A> = {},
): Promise<Response> => {
  const feed = new BodyFeed(stream, options)
  const { headers: own = {} } = options
  return answer(c, feed, onError, async () => {
    const headers = await feed.headers()
    const type = headersSoFar(c).get("content-type")
    // What the handler has said of its answer is no guess.
    return type === null || saysType(own) ? headers : { ...headers, "content-type": type }
  })
}

const saysType = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => name.toLowerCase() === "content-type")
