/** The last tasks that ended: one record each, in columns, so that recording allocates nothing and keeps no task alive. */
import type { TaskOutcome } from "./Explanation.ts"

export interface TaskRecord {
  readonly key: string
  readonly name: string
  readonly number: number
  readonly outcome: TaskOutcome
  /** Monotonic milliseconds. */
  readonly queuedAt: number
  /** NaN: never started. */
  readonly startedAt: number
  readonly endedAt: number
}

export class TaskRing {
  readonly #size: number
  readonly #keys: Array<string>
  readonly #names: Array<string>
  readonly #outcomes: Array<TaskOutcome>
  readonly #numbers: Float64Array
  #written = 0
  constructor(size: number) {
    this.#size = size
    this.#keys = Array.from({ length: size }, () => "")
    this.#names = Array.from({ length: size }, () => "")
    this.#outcomes = Array.from({ length: size }, (): TaskOutcome => "succeeded")
    this.#numbers = new Float64Array(size * 4)
  }
  write(
    key: string,
    name: string,
    outcome: TaskOutcome,
    number: number,
    queuedAt: number,
    startedAt: number,
    endedAt: number,
  ): void {
    const at = this.#written++ % this.#size
    this.#keys[at] = key
    this.#names[at] = name
    this.#outcomes[at] = outcome
    const column = at * 4
    this.#numbers[column] = number
    this.#numbers[column + 1] = queuedAt
    this.#numbers[column + 2] = startedAt
    this.#numbers[column + 3] = endedAt
  }
  /** Newest first. */
  *newest(): Generator<TaskRecord> {
    for (let back = 1; back <= Math.min(this.#written, this.#size); back++) {
      const at = (this.#written - back) % this.#size
      const column = at * 4
      yield {
        key: this.#keys[at] ?? "",
        name: this.#names[at] ?? "",
        outcome: this.#outcomes[at] ?? "succeeded",
        number: this.#numbers[column] ?? 0,
        queuedAt: this.#numbers[column + 1] ?? 0,
        startedAt: this.#numbers[column + 2] ?? 0,
        endedAt: this.#numbers[column + 3] ?? 0,
      }
    }
  }
}
