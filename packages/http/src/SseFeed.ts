import { isSessionError, type SessionStream } from "@sojourn/core"
import { eventId } from "./lastEvent.ts"
import { NextOf } from "./NextOf.ts"
import { orLeave } from "./orLeave.ts"
import { resolveSse, type ResolvedSse, type SseOptions } from "./sseOptions.ts"

type Phase = "beginning" | "flowing" | "over"

/**
 * The text of an event stream, made as fast as it is taken, one `next` at a time. An error of the stream becomes its last
 * event; it never rejects. `return` leaves the stream at once, whatever is being waited for.
 */
export class SseFeed<A> implements AsyncIterableIterator<string, undefined> {
  readonly #stream: SessionStream<A>
  readonly #entries: NextOf<readonly [index: number, element: A]>
  readonly #options: ResolvedSse<A>
  #phase: Phase = "beginning"
  #toldOfDrain = false
  /** What the stream failed with, if that is no error of ours: for the application's own log. */
  failure: { readonly error: unknown } | undefined

  /** @throws SessionMisuse `InvalidOption`; the stream is left then. */
  constructor(stream: SessionStream<A>, options: SseOptions<A>) {
    this.#options = orLeave(stream, () => resolveSse(options))
    this.#stream = stream
    this.#entries = new NextOf(stream.entries())
  }

  [Symbol.asyncIterator](): this {
    return this
  }
  async next(): Promise<IteratorResult<string, undefined>> {
    const text = await this.#text()
    return text === undefined ? { done: true, value: undefined } : { done: false, value: text }
  }
  async return(): Promise<IteratorResult<string, undefined>> {
    this.leave()
    return { done: true, value: undefined }
  }
  /** Nobody reads any more: cancels the stream, unless it is resumable. */
  leave(): void {
    if (this.#phase === "over") return
    this.#end()
    void this.#stream[Symbol.asyncDispose]()
  }

  async #text(): Promise<string | undefined> {
    if (this.#phase === "over") return undefined
    if (this.#phase === "beginning") {
      this.#phase = "flowing"
      this.#stream.draining.addEventListener("abort", this.#wake, { once: true })
      if (this.#options.retry !== undefined) return `retry: ${this.#options.retry}\n\n`
    }
    // Nobody may have been waiting when it began.
    if (this.#hasNewsOfDrain) return this.#draining()
    try {
      const result = await this.#entries.within(this.#options.keepAlive)
      // It was left meanwhile.
      if (this.#phaseNow() === "over") return undefined
      if (result === undefined) return this.#hasNewsOfDrain ? this.#draining() : ": keep-alive\n\n"
      if (result.done !== true) return this.#event(result.value)
      this.#end()
      return this.#options.done === undefined ? undefined : data(this.#options.done)
    } catch (error) {
      return this.#failed(error)
    }
  }
  // Read anew: TypeScript takes what it knew before an `await` for what is known after it.
  #phaseNow(): Phase {
    return this.#phase
  }
  #event([index, element]: readonly [index: number, element: A]): string {
    return `id: ${eventId(this.#stream.id, index)}\n${data(this.#options.encode(element))}`
  }
  get #hasNewsOfDrain(): boolean {
    return this.#stream.draining.aborted && !this.#toldOfDrain
  }
  #draining(): string | undefined {
    this.#toldOfDrain = true
    if (this.#options.onDrain === "finish") return ": draining\n\n"
    this.leave()
    return undefined
  }
  #failed(error: unknown): string | undefined {
    // Who has left is told nothing, and has caused what it rejected with.
    if (this.#phase === "over") return undefined
    this.leave()
    if (!isSessionError(error)) this.failure = { error }
    try {
      const text = this.#options.encodeError(error)
      return text === undefined ? undefined : `event: error\n${data(text)}`
    } catch (thrown) {
      this.failure = {
        error: new AggregateError([error, thrown], "A stream failed, and so did encodeError."),
      }
      return undefined
    }
  }
  #end(): void {
    this.#phase = "over"
    this.#stream.draining.removeEventListener("abort", this.#wake)
    this.#entries.wake()
  }
  readonly #wake = (): void => this.#entries.wake()
}

/** A line break of any kind would end the field. */
const data = (text: string): string =>
  `${text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join("")}\n`
