/**
 * Is a client that says nothing still there? Its connection does not tell: with a keep-alive comment on its way to a
 * machine that is gone, TCP itself needs a quarter of an hour to give up. So it is asked, with the protocol's own `ping`.
 */
export class Pulse {
  readonly #every: number
  #heard = true
  constructor(every: number) {
    this.#every = every
  }

  /** It has said something, whatever it was. */
  heard(): void {
    this.#heard = true
  }
  /** Until the result is called: `ask` when it was silent for a while, `lost` when it was silent for as long again. */
  watch(ask: () => void, lost: () => void): () => void {
    if (this.#every === Infinity) return () => {}
    let asked = false
    this.#heard = true
    const timer = setInterval(() => {
      if (this.#heard) asked = this.#heard = false
      else if (asked) lost()
      else {
        asked = true
        ask()
      }
    }, this.#every).unref()
    return () => clearInterval(timer)
  }
}
