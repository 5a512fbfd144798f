/** What users' code holds of its task. Functions are made when they are read: destructuring is safe, unread ones cost nothing. */
import { checkedFunction, checkedName } from "../../options.ts"
import type { SessionRef } from "../../SessionKey.ts"
import type { Task as UserTask } from "../../Sessions.ts"
import { doAfterwards, noteProgress, startBackground, taskEnded } from "../../task/background.ts"
import type { PromiseTask } from "./PromiseTask.ts"

export class TaskHandle implements UserTask {
  readonly #task: PromiseTask
  constructor(task: PromiseTask) {
    this.#task = task
  }
  get id(): string {
    return this.#task.id
  }
  get name(): string {
    return this.#task.name
  }
  get session(): SessionRef {
    const ref = this.#task.generation?.ref ?? this.#task.session?.ref
    if (ref === undefined) throw taskEnded(this.#task)
    return ref
  }
  get signal(): AbortSignal {
    return this.#task.signal
  }
  get progress(): UserTask["progress"] {
    const task = this.#task
    return (note) => noteProgress(task, note)
  }
  get background(): UserTask["background"] {
    const task = this.#task
    return (name, work) => {
      checkedName("name", name)
      checkedFunction("work", work)
      return startBackground(task, () => task.inBackground(name, work))
    }
  }
  get broken(): UserTask["broken"] {
    const task = this.#task
    return (cause) => {
      if (task.generation !== undefined) task.registry.supervision.broken(task.generation, cause, task)
    }
  }
  get close(): UserTask["close"] {
    const task = this.#task
    return () => doAfterwards(task, "close")
  }
  get restart(): UserTask["restart"] {
    const task = this.#task
    return () => doAfterwards(task, "restart")
  }
}
