const longest = 2 ** 31 - 1

type Settled<A> = { readonly result: IteratorResult<A> } | { readonly error: unknown }

/** The next of an iterator, to be waited for again and again beside a clock: no wait leaves a reaction behind. */
export class NextOf<A> {
  readonly #iterator: AsyncIterator<A>
  #settled: Settled<A> | undefined
  #asking = false
  #wake: () => void = () => {}

  constructor(iterable: AsyncIterable<A>) {
    this.#iterator = iterable[Symbol.asyncIterator]()
  }

  /** Undefined: the time is over, or `wake` was called, before there was one. Rejects with the iterator's error. */
  async within(milliseconds: number): Promise<IteratorResult<A> | undefined> {
    if (!this.#asking && this.#settled === undefined) this.#ask()
    if (this.#settled === undefined) await this.#sleep(milliseconds)
    const settled = this.#settled
    if (settled === undefined) return undefined
    this.#settled = undefined
    if ("error" in settled) throw settled.error
    return settled.result
  }
  /** Ends the wait there is. */
  wake(): void {
    this.#wake()
  }

  #ask(): void {
    this.#asking = true
    const settle = (settled: Settled<A>): void => {
      this.#asking = false
      this.#settled = settled
      this.#wake()
    }
    this.#iterator.next().then(
      (result) => settle({ result }),
      (error: unknown) => settle({ error }),
    )
  }
  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      // Longer than a timer can take is never. Not held: the connection that is written to keeps the process.
      const timer = milliseconds > longest ? undefined : setTimeout(resolve, milliseconds).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
