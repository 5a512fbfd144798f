/**
 * What is said to those who do not see the page, when it changes by itself: at most every 10 s, and then the newest. What a
 * person has just done answers at once by a toast instead.
 */
import { Store, type Readable } from "../state/Store.ts"

export class Announcer implements Disposable {
  readonly #said = new Store("")
  readonly #everyMs: number
  #last = -Infinity
  #waiting: string | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(everyMs = 10_000) {
    this.#everyMs = everyMs
  }

  get said(): Readable<string> {
    return this.#said
  }

  /** The same once more is not said again. */
  say(text: string): void {
    this.#waiting = text
    const wait = this.#last + this.#everyMs - performance.now()
    if (wait <= 0) this.#speak()
    else this.#timer ??= setTimeout(() => this.#speak(), wait)
  }

  #speak(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting === undefined || this.#waiting === this.#said.get()) return
    this.#last = performance.now()
    this.#said.set(this.#waiting)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
