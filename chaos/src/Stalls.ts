/** How long the event loop stood still: nobody can keep a deadline meanwhile, and nobody is blamed for it. */
import type { Book } from "./book/Book.ts"

const everyMs = 10
const toleratedMs = 15

export class Stalls {
  #book: Book | undefined
  #expected = performance.now() + everyMs
  readonly #timer: NodeJS.Timeout
  constructor() {
    this.#timer = setInterval(() => this.catchUp(), everyMs)
    this.#timer.unref()
  }
  writeTo(book: Book | undefined): void {
    this.#book = book
  }
  /** Also called by who is about to judge: of two timers that are late, theirs may come first. */
  catchUp(): void {
    const now = performance.now()
    const late = now - this.#expected
    if (late > toleratedMs) this.#book?.stalls.push({ at: now, ms: late })
    this.#expected = now + everyMs
  }
  stop(): void {
    clearInterval(this.#timer)
  }
}
