/**
 * The work of scrapes, one piece after the other, in slices of the event loop: however many series there are, whatever else
 * the process does gets its turn in between.
 */
import { performance } from "node:perf_hooks"
import { setImmediate as nextRound } from "node:timers/promises"

/** Milliseconds. A piece is not cut: the loop is held for one piece longer at most. */
const slice = 1

export class Slices {
  #last: Promise<unknown> = Promise.resolve()
  #pending = 0
  #since = 0

  /** Does `piece` once all that was asked for before it is done. */
  run<A>(piece: () => A | Promise<A>): Promise<A> {
    if (this.#pending++ === 0) this.#since = performance.now()
    const done = this.#after(this.#last, piece)
    this.#last = done.catch(() => {})
    return done
  }
  /** Between two parts of a piece. */
  async pause(): Promise<void> {
    if (performance.now() - this.#since < slice) return
    await nextRound()
    this.#since = performance.now()
  }

  async #after<A>(before: Promise<unknown>, piece: () => A | Promise<A>): Promise<A> {
    await before
    try {
      await this.pause()
      return await piece()
    } finally {
      this.#pending--
    }
  }
}
