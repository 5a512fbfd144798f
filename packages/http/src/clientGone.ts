import type { CallerSignal } from "@sojourn/core"
import type { ServerResponse } from "node:http"
import type { Http2ServerResponse } from "node:http2"

/** An answer as Node has it, of HTTP/1.1 or HTTP/2. */
export type NodeResponse = ServerResponse | Http2ServerResponse

/** Kept on the response itself: a WeakMap with an entry for each request makes every collection dearer. */
const slot: unique symbol = Symbol("@sojourn/http/presence")
type Kept = NodeResponse & { [slot]?: Presence }

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
 * The client of an answer: aborts when it leaves before the answer is complete; never after it. As much of an
 * `AbortSignal` as a session listens to, and cheaper. One, with one listener, a response, however many handles share it;
 * both go with the response.
 */
class Presence implements CallerSignal {
  readonly #res: NodeResponse
  /** Most requests have one call. */
  #listener: (() => void) | undefined
  #others: Set<() => void> | undefined
  #controller: AbortController | undefined
  #reason: DOMException | undefined
  #watching = false

  constructor(res: NodeResponse) {
    this.#res = res
  }
  get aborted(): boolean {
    return this.#reason !== undefined || this.#hasLeft()
  }
  get reason(): unknown {
    return this.aborted ? this.#reason : undefined
  }
  addEventListener(_type: "abort", listener: () => void): void {
    this.#watch()
    if (this.#listener === undefined) this.#listener = listener
    else (this.#others ??= new Set()).add(listener)
  }
  removeEventListener(_type: "abort", listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined
    else this.#others?.delete(listener)
  }
  /** The real one, made when it is first read. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.aborted) this.#controller.abort(this.#reason)
      else this.#watch()
    }
    return this.#controller.signal
  }

  /** Only for who has something to wait for: most requests are answered before. */
  #watch(): void {
    if (this.#watching || isClosed(this.#res)) return
    this.#watching = true
    this.#res.on("close", () => this.#closed())
  }
  #closed(): void {
    if (!this.#hasLeft()) return
    this.#controller?.abort(this.#reason)
    const listeners = [this.#listener, ...(this.#others ?? [])]
    this.#listener = this.#others = undefined
    for (const listener of listeners) listener?.()
  }
  #hasLeft(): boolean {
    if (!hasLeft(this.#res)) return false
    this.#reason ??= new DOMException("The client left before the answer was complete.", "AbortError")
    return true
  }
}

const watchOf = (res: NodeResponse): Presence => {
  const kept: Kept = res
  return (kept[slot] ??= new Presence(res))
}

/** The same for one call: most are answered before anybody has to watch, and then nothing is kept on the response. */
class Caller implements CallerSignal {
  readonly #res: NodeResponse
  constructor(res: NodeResponse) {
    this.#res = res
  }
  get aborted(): boolean {
    return isClosed(this.#res) && watchOf(this.#res).aborted
  }
  get reason(): unknown {
    return watchOf(this.#res).reason
  }
  addEventListener(type: "abort", listener: () => void): void {
    watchOf(this.#res).addEventListener(type, listener)
  }
  removeEventListener(type: "abort", listener: () => void): void {
    watchOf(this.#res).removeEventListener(type, listener)
  }
}

/** Aborts when the client of an answer leaves before it is complete; for one call, and cheaper than `clientGone`. */
export const presenceOf = (res: NodeResponse): CallerSignal => new Caller(res)

/** Aborts when the client leaves before the answer is complete; never after it. One signal a response. */
export const clientGone = (res: NodeResponse): AbortSignal => watchOf(res).signal

/** Is it what a call rejects with because the client has left? */
export const isClientGone = (res: NodeResponse, error: unknown): boolean => {
  const { [slot]: presence }: Kept = res
  return presence?.aborted === true && presence.reason === error
}

/** Ends the answer so that the client does not take the part it has for the whole. */
export const breakOff = (res: NodeResponse): void => {
  if (isClosed(res)) return
  if ("stream" in res) res.stream.close(internalError)
  else res.destroy()
}
/** `INTERNAL_ERROR` of RFC 9113: without a code the client would see a normal end. */
const internalError = 2
