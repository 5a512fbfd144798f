/** The last tasks that ended: one record each, in columns, so that recording allocates nothing and keeps no task alive. */
import type { TaskKind } from "../task/Task.ts"
import type { EndReason, TaskOutcome } from "./Explanation.ts"
import type { StopRecord, TaskPlace } from "./StopRecord.ts"

export interface TaskRecord {
  readonly key: string
  readonly name: string
  readonly kind: TaskKind
  readonly number: number
  readonly outcome: TaskOutcome
  /** Of a rejected one. */
  readonly reason: EndReason | undefined
  readonly stop: StopRecord | undefined
  /** Without a number: none. */
  readonly parent: TaskPlace
  /** 0: it never had one. */
  readonly generation: number
  readonly serial: number
  /** Monotonic milliseconds. */
  readonly queuedAt: number
  /** NaN: never started. */
  readonly startedAt: number
  readonly endedAt: number
  /** 0: not known. */
  readonly resumes: number
  readonly suspendedMs: number
}

/** What a record is taken from. */
export interface Recorded {
  readonly name: string
  readonly kind: TaskKind
  readonly number: number
  readonly queuedAt: number
  readonly startedAt: number
  readonly session: { readonly key: string } | undefined
  readonly generation: { readonly number: number; readonly serial: number } | undefined
  readonly activity: { readonly resumes: number; readonly suspendedMs: number } | undefined
  readonly parent: { readonly task: Caller | undefined } | undefined
  readonly extras: { readonly stop?: StopRecord | undefined; readonly startedBy?: TaskPlace } | undefined
}
interface Caller {
  readonly name: string
  readonly number: number
  readonly registry: { readonly name: string }
  readonly session: { readonly key: string } | undefined
}

const columns = 9

export class TaskRing {
  readonly #size: number
  readonly #keys: Array<string>
  readonly #names: Array<string>
  readonly #kinds: Array<TaskKind>
  readonly #outcomes: Array<TaskOutcome>
  readonly #reasons: Array<EndReason | undefined>
  readonly #stops: Array<StopRecord | undefined>
  readonly #parents: Array<string>
  readonly #parentKeys: Array<string>
  readonly #parentNames: Array<string>
  readonly #numbers: Float64Array
  #written = 0
  constructor(size: number) {
    const filled = <A>(value: A): Array<A> => Array.from({ length: size }, () => value)
    this.#size = size
    this.#keys = filled("")
    this.#names = filled("")
    this.#kinds = filled("turn")
    this.#outcomes = filled("succeeded")
    this.#reasons = filled(undefined)
    this.#stops = filled(undefined)
    this.#parents = filled("")
    this.#parentKeys = filled("")
    this.#parentNames = filled("")
    this.#numbers = new Float64Array(size * columns)
  }
  write(task: Recorded, outcome: TaskOutcome, started: boolean, endedAt: number, reason?: EndReason): void {
    const { activity, extras, generation, parent } = task
    const at = this.#written++ % this.#size
    this.#keys[at] = task.session === undefined ? "" : task.session.key
    this.#names[at] = task.name
    this.#kinds[at] = task.kind
    this.#outcomes[at] = outcome
    this.#reasons[at] = reason
    this.#stops[at] = extras?.stop
    const column = at * columns
    const numbers = this.#numbers
    numbers[column] = task.number
    numbers[column + 1] = task.queuedAt
    numbers[column + 2] = started ? task.startedAt : Number.NaN
    numbers[column + 3] = endedAt
    numbers[column + 4] = generation === undefined ? 0 : generation.number
    numbers[column + 5] = generation === undefined ? 0 : generation.serial
    numbers[column + 6] = activity === undefined ? 0 : activity.resumes
    numbers[column + 7] = activity === undefined ? 0 : activity.suspendedMs
    numbers[column + 8] = 0
    if (parent?.task !== undefined) {
      const { name, number, registry, session } = parent.task
      this.#from(at, registry.name, session === undefined ? "" : session.key, name, number)
    } else if (extras !== undefined) {
      const place = extras.startedBy ?? extras.stop?.outer?.task
      if (place !== undefined) this.#from(at, place.registry, place.key, place.name, place.number)
    }
  }
  #from(at: number, registry: string, key: string, name: string, number: number): void {
    this.#parents[at] = registry
    this.#parentKeys[at] = key
    this.#parentNames[at] = name
    this.#numbers[at * columns + 8] = number
  }
  /** Newest first. */
  *newest(): Generator<TaskRecord> {
    for (let back = 1; back <= Math.min(this.#written, this.#size); back++) {
      const at = (this.#written - back) % this.#size
      const column = at * columns
      const number = (offset: number): number => this.#numbers[column + offset] ?? 0
      yield {
        key: this.#keys[at] ?? "",
        name: this.#names[at] ?? "",
        kind: this.#kinds[at] ?? "turn",
        outcome: this.#outcomes[at] ?? "succeeded",
        reason: this.#reasons[at],
        stop: this.#stops[at],
        parent: {
          registry: this.#parents[at] ?? "",
          key: this.#parentKeys[at] ?? "",
          name: this.#parentNames[at] ?? "",
          number: number(8),
        },
        number: number(0),
        queuedAt: number(1),
        startedAt: number(2),
        endedAt: number(3),
        generation: number(4),
        serial: number(5),
        resumes: number(6),
        suspendedMs: number(7),
      }
    }
  }
}
