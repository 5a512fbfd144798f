/**
 * Tasks that run, in the order of their starts, so that the oldest is known without a look at any session. A start is put
 * down; an end is not: the frame of a task that has ended says so, and now and then those are taken out. That makes no
 * difference to a turn, and at most as many ended ones are kept as run, or eight, and they hold nothing.
 */
import type { Frame } from "../task/Frame.ts"
import type { Task } from "../task/Task.ts"

const fewest = 8

export class StartOrder {
  readonly #frames: Array<Frame> = []
  #count = 0
  #most = fewest

  add(frame: Frame): void {
    this.#frames[this.#count++] = frame
    if (this.#count === this.#most) this.#tidy()
  }
  get oldest(): Task | undefined {
    for (let index = 0; index < this.#count; index++) {
      const task = this.#frames[index]?.task
      if (task !== undefined) return task
    }
    return undefined
  }
  /** Frames it holds on to, those of ended tasks among them. */
  get kept(): number {
    return this.#frames.length
  }

  #tidy(): void {
    let kept = 0
    for (const frame of this.#frames) if (frame.task !== undefined) this.#frames[kept++] = frame
    this.#count = kept
    this.#most = Math.max(fewest, 2 * kept)
    // After a rush.
    if (this.#frames.length > this.#most) this.#frames.length = this.#most
  }
}
