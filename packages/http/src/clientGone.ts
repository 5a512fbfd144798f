import type { ServerResponse } from "node:http"
import type { Http2ServerResponse } from "node:http2"

/** An answer as Node has it, of HTTP/1.1 or HTTP/2. */
export type NodeResponse = ServerResponse | Http2ServerResponse

/** Kept on the response itself: a WeakMap with an entry for each request makes every collection dearer. */
const slot: unique symbol = Symbol("@sojourn/http/gone")
type Kept = NodeResponse & { [slot]?: AbortSignal }

/** Nothing can be sent any more: the answer is complete, or the connection is gone. */
export const isClosed = (res: NodeResponse): boolean => {
  // What HTTP/2 gives has no such property, whatever its type says.
  const closed: boolean | undefined = res.closed
  return closed ?? ("stream" in res && res.stream.destroyed)
}

/** The client left before the answer was complete. */
export const hasLeft = (res: NodeResponse): boolean =>
  // Either alone is wrong: HTTP/1.1 has ended what was never sent, HTTP/2 has finished what was never ended.
  isClosed(res) && !(res.writableEnded && res.writableFinished)

/**
 * Aborts when the client leaves before the answer is complete; never after it. One signal and one listener a response,
 * however many handles share it, and both go with the response.
 */
export const clientGone = (res: NodeResponse): AbortSignal => {
  const kept: Kept = res
  if (kept[slot] !== undefined) return kept[slot]
  const controller = new AbortController()
  const check = (): void => {
    if (hasLeft(res))
      controller.abort(new DOMException("The client left before the answer was complete.", "AbortError"))
  }
  kept[slot] = controller.signal
  if (isClosed(res)) check()
  else res.on("close", check)
  return controller.signal
}

/** Is it what a call rejects with because the client has left? */
export const isClientGone = (res: NodeResponse, error: unknown): boolean => {
  const { [slot]: signal }: Kept = res
  return signal?.aborted === true && signal.reason === error
}

/** Ends the answer so that the client does not take the part it has for the whole. */
export const breakOff = (res: NodeResponse): void => {
  if (isClosed(res)) return
  if ("stream" in res) res.stream.close(internalError)
  else res.destroy()
}
/** `INTERNAL_ERROR` of RFC 9113: without a code the client would see a normal end. */
const internalError = 2
