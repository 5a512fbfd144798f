import type { Options, SessionStream } from "@sojourn/core"
import { checkedFunction, resolveNames } from "@sojourn/core/host"
import { orLeave } from "./orLeave.ts"
import { ownHeaders } from "./ownHeaders.ts"

export type Chunk = string | Uint8Array

export type BodyOptions<A> = Options<{
  /** Beside, or instead of, our own. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * An element as it is sent. What it throws breaks the answer off, as an error of the application. Texts and bytes as
   * they are, anything else as a line of JSON; where the first element is neither, every one is a line of JSON.
   */
  readonly encode: (element: A) => Chunk
}>

/**
 * The elements of a stream as the body of an answer, made as fast as they are taken, one `next` at a time. Unlike in an
 * event stream, there is no place for an error: what fails rejects, and the answer has to be broken off. `return` leaves
 * the stream at once, whatever is being waited for.
 */
export class BodyFeed<A> implements AsyncIterableIterator<Chunk, undefined> {
  readonly #stream: SessionStream<A>
  readonly #elements: AsyncIterator<A>
  readonly #headers: Readonly<Record<string, string>>
  #encode: ((element: A) => Chunk) | undefined
  #first: IteratorResult<Chunk, undefined> | undefined
  #over = false

  /** @throws SessionMisuse `InvalidOption`; the stream is left then. */
  constructor(stream: SessionStream<A>, options: BodyOptions<A>) {
    this.#headers = orLeave(stream, () => {
      resolveNames(options, ["headers", "encode"])
      if (options.encode !== undefined) checkedFunction("encode", options.encode)
      return ownHeaders(options.headers)
    })
    this.#encode = options.encode
    this.#stream = stream
    this.#elements = stream[Symbol.asyncIterator]()
  }

  /** Waits for the first element, so that what fails before it is still a status; what it is says what the body is. Once. */
  async headers(): Promise<Record<string, string>> {
    this.#first = await this.#take()
    return {
      "content-type": this.#encode === asLine ? "application/x-ndjson" : contentTypeOf(this.#first),
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      ...this.#headers,
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
  async next(): Promise<IteratorResult<Chunk, undefined>> {
    for (;;) {
      if (this.#over) return ended
      const first = this.#first
      this.#first = undefined
      const result = first ?? (await this.#take())
      // Nothing to send. Around an empty chunk Node 24 sends bytes over HTTP/2 that nobody wrote.
      if (result.done === true || result.value.length > 0) return result
    }
  }
  async return(): Promise<IteratorResult<Chunk, undefined>> {
    this.leave()
    return ended
  }
  /** Nobody reads any more: cancels the stream, unless it is resumable. */
  leave(): void {
    if (this.#over) return
    this.#over = true
    void this.#stream[Symbol.asyncDispose]()
  }

  async #take(): Promise<IteratorResult<Chunk, undefined>> {
    try {
      const { done, value } = await this.#elements.next()
      if (done === true) this.#over = true
      // Ended, or left meanwhile.
      return this.#over ? ended : { done: false, value: this.#encoded(value) }
    } catch (error) {
      // Who has left is told nothing, and has caused what it rejected with.
      if (this.#over) return ended
      this.leave()
      throw error
    }
  }
  #encoded(element: A): Chunk {
    this.#encode ??= isChunk(element) ? asItIs : asLine
    const chunk = this.#encode(element)
    if (!isChunk(chunk)) throw new TypeError("encode: a text or bytes (Uint8Array) were expected.")
    return chunk
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined }

const isChunk = (value: unknown): value is Chunk => typeof value === "string" || value instanceof Uint8Array
const asLine = (element: unknown): Chunk => `${JSON.stringify(element) ?? "null"}\n`
const asItIs = (element: unknown): Chunk => (isChunk(element) ? element : asLine(element))

const contentTypeOf = ({ done, value }: IteratorResult<Chunk, undefined>): string =>
  done === true || typeof value === "string" ? "text/plain; charset=utf-8" : "application/octet-stream"
