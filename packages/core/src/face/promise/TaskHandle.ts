/** What users' code holds of its task. Functions are made when they are read, so that destructuring is safe and unread ones cost nothing. */
import { captureCarrier } from "../../context.ts"
import { SessionMisuse } from "../../errors.ts"
import { checkedFunction, checkedName } from "../../options.ts"
import type { SessionRef } from "../../SessionKey.ts"
import type { Task as UserTask } from "../../Sessions.ts"
import { PromiseTask } from "./PromiseTask.ts"

const longestNote = 256
const noOne = (): void => {}

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
    const { generation, session } = this.#task
    if (generation !== undefined) return generation.ref
    if (session === undefined) throw ended(this.#task)
    return session.ref
  }
  get signal(): AbortSignal {
    return this.#task.signal
  }
  get progress(): UserTask["progress"] {
    const task = this.#task
    return (note) => {
      if (task.state === "ended") throw ended(task)
      task.registry.turns.progress(task)
      if (note !== undefined) task.more.note = String(note).slice(0, longestNote)
    }
  }
  get background(): UserTask["background"] {
    const task = this.#task
    return (name, work) => startBackground(task, name, work)
  }
  get broken(): UserTask["broken"] {
    const task = this.#task
    return (cause) => {
      if (task.generation !== undefined) task.registry.supervision.broken(task.generation, cause, task)
    }
  }
  get close(): UserTask["close"] {
    return afterwards(this.#task, "close")
  }
  get restart(): UserTask["restart"] {
    return afterwards(this.#task, "restart")
  }
}

const ended = (task: PromiseTask): SessionMisuse =>
  new SessionMisuse({ reason: "TaskEnded", session: task.generation?.ref ?? task.session?.ref })

const afterwards = (task: PromiseTask, what: "close" | "restart") => (): void => {
  if (task.state === "ended") throw ended(task)
  task.more.afterwards = what
}

const startBackground = (task: PromiseTask, name: string, work: (task: UserTask) => unknown): boolean => {
  checkedName("name", name)
  checkedFunction("work", work)
  const { generation, registry, session } = task
  if (task.state === "ended" || generation === undefined || session === undefined) throw ended(task)
  if (generation.phase !== "live" || generation.cold?.barrier !== undefined) return false
  const now = registry.time.now()
  // Its failure is told by its event and by `explain`: there is no caller to reject.
  const failed = (error: unknown): void => registry.supervision.note(session, "task", error)
  const background = new PromiseTask(registry, "background", name, true, (_, own) => work(own), noOne, failed)
  background.session = session
  background.queuedAt = now
  background.silence = registry.policy.timeouts.silence
  background.carrier = captureCarrier()
  registry.turns.start(session, background, now)
  registry.steps.commit()
  return true
}
