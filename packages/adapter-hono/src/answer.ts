import { isSessionError, type Options } from "@sojourn/core"
import { checkedFunction } from "@sojourn/core/host"
import { breakOff, isClosed, type Feed } from "@sojourn/http"
import { nodeAnswer, type AnyContext } from "./hono.ts"

export type ToldLate = Options<{
  /** Told of the application's errors that come once the headers are sent, when `app.onError` can do nothing any more. `console.error`. */
  readonly onError: (error: unknown) => void
}>

type LateFeed = Feed & { readonly failure?: { readonly error: unknown } | undefined }

const tellConsole = (error: unknown): void => console.error(error)

/**
 * An answer with headers as soon as they are known, and then the feed. A client that leaves, an answer that cannot be
 * made, and a body that is dropped unread, as Hono does for HEAD, leave the feed.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const answer = async (
  c: AnyContext,
  feed: LateFeed,
  onError: ToldLate["onError"] = tellConsole,
  headers: () => Promise<Readonly<Record<string, string>>>,
): Promise<Response> => {
  const node = nodeAnswer(c)
  node?.once("close", () => feed.leave())
  try {
    checkedFunction("onError", onError)
    if (node !== undefined && isClosed(node)) feed.leave()
    return c.body(bodyOf(c, feed, onError), { headers: await headers() })
  } catch (error) {
    feed.leave()
    throw error
  }
}

/** Made as fast as it is read. What it rejects with breaks the answer off. */
const bodyOf = (
  c: AnyContext,
  feed: LateFeed,
  onError: (error: unknown) => void,
): ReadableStream<Uint8Array> => {
  const chunks = feed[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  let left = false
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      const { done, value } = await chunks.next()
      if (left) return
      if (done !== true) return controller.enqueue(typeof value === "string" ? encoder.encode(value) : value)
      controller.close()
      if (feed.failure !== undefined) tell(onError, feed.failure.error)
    } catch (error) {
      if (left) return
      if (!isSessionError(error)) tell(onError, error)
      const node = nodeAnswer(c)
      // The server would print an error of the stream as well.
      if (node === undefined) controller.error(error)
      else breakOff(node)
    }
  }
  const cancel = (): void => {
    left = true
    feed.leave()
  }
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 })
}

const tell = (onError: (error: unknown) => void, error: unknown): void => {
  try {
    onError(error)
  } catch {
    // An answer does not depend on a log.
  }
}
