/** What users' code holds of its task. Functions are made when they are read: destructuring is safe, unread ones cost nothing. */
import { checkedFunction, checkedName } from "../../options.ts"
import type { SessionRef } from "../../SessionKey.ts"
import type { Task as UserTask } from "../../Sessions.ts"
import { doAfterwards, noteProgress, startBackground, taskEnded } from "../../task/background.ts"
import type { Generation } from "../../session/Generation.ts"
import type { PromiseTask } from "./PromiseTask.ts"

export class TaskHandle implements UserTask {
  readonly #task: PromiseTask
  readonly #generation: Generation | undefined
  /** Of a run that is over, when the task is put back. */
  #signal: AbortSignal | undefined = undefined
  constructor(task: PromiseTask) {
    this.#task = task
    this.#generation = task.generation
  }
  /** The task begins once more, with another handle. */
  retire(signal: AbortSignal): void {
    this.#signal = signal
  }
  get id(): string {
    return this.#task.id
  }
  get name(): string {
    return this.#task.name
  }
  get session(): SessionRef {
    const ref = this.#generation?.ref ?? this.#task.session?.ref
    if (ref === undefined) throw taskEnded(this.#task)
    return ref
  }
  get signal(): AbortSignal {
    return this.#signal ?? this.#task.signal
  }
  get draining(): AbortSignal {
    return this.#task.registry.draining.signalOf(this.#task)
  }
  get progress(): UserTask["progress"] {
    return (note) => noteProgress(this.#task, this.#generation, note)
  }
  get background(): UserTask["background"] {
    const task = this.#task
    return (name, work) => {
      checkedName("name", name)
      checkedFunction("work", work)
      return startBackground(task, this.#generation, () => task.inBackground(name, work))
    }
  }
  get broken(): UserTask["broken"] {
    const task = this.#task
    return (cause) => {
      if (this.#generation !== undefined) task.registry.supervision.broken(this.#generation, cause, task)
    }
  }
  get close(): UserTask["close"] {
    return () => doAfterwards(this.#task, this.#generation, "close")
  }
  get restart(): UserTask["restart"] {
    return () => doAfterwards(this.#task, this.#generation, "restart")
  }
}
