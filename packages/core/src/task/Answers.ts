/** Telling callers what became of their task, once each (L5), with errors that carry data (L17). */
import {
  SessionMisuse,
  SessionRefused,
  TaskStopped,
  type SessionMisuseReason,
  type SessionOpenFailed,
  type TaskStoppedReason,
} from "../errors.ts"
import type { ResolvedKey, SessionRef } from "../SessionKey.ts"
import type { Explanation, TaskOutcome } from "../observe/Explanation.ts"
import { explain, explainUnseen } from "../observe/explain.ts"
import { taskInfo } from "../observe/taskInfo.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Session } from "../session/Session.ts"
import type { Refusal, Task } from "./Task.ts"

export class Answers {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Fixes the outcome; the first cause that gets here decides (L5). */
  tell(task: Task, outcome: TaskOutcome, value: unknown): void {
    if (task.outcome !== undefined) return
    const { extras, parent } = task
    if (extras !== undefined && extras.replayed === true && outcome === "rejected") {
      // It had been started: that it is not started once more makes it no refusal.
      outcome = "interrupted"
      value = this.stopped(task, "Broken", false, value)
    }
    task.outcome = outcome
    if (extras !== undefined) {
      this.#registry.timetable.drop(extras.timeout)
      this.#registry.timetable.drop(extras.seat)
      extras.unlisten?.()
      extras.unlisten = undefined
      if (extras.stop !== undefined) extras.stop.callerToldAt ??= this.#registry.time.now()
    }
    if (task.state === "queued") {
      task.state = "ended"
      if (task.list !== undefined) task.list.remove(task)
      this.#registry.monitor.taskEnded(task, outcome, this.#registry.time.now(), value)
      this.#registry.leases.served(task)
    }
    if (parent !== undefined) {
      parent.calls?.delete(task)
      // Its caller's silence stood still while this call was under way.
      if (parent.task?.state === "running") parent.task.registry.turns.progress(parent.task)
    }
    try {
      task.deliver(outcome, value)
    } catch (error) {
      // A mistake of ours: who stands behind it goes on all the same.
      this.#registry.defect(error, task.session)
    }
    if (extras?.trace !== undefined) extras.trace.told(task, outcome, value)
    if (this.#registry.events.watched) this.#registry.events.taskEnded(task, outcome, value)
  }

  /** `of`: the session, or the key without one, of a task that did not get as far as having one. */
  refuse(task: Task, reason: Refusal, retryAfter?: number, of?: Session | ResolvedKey): void {
    if (task.outcome !== undefined) return
    const registry = this.#registry
    const session = task.session
    const seen = of ?? session
    const unseen = seen === undefined || "canonical" in seen ? seen : undefined
    const found = seen === undefined || "canonical" in seen ? undefined : seen
    const ref = found?.ref ?? (unseen && this.unseen(unseen))
    registry.monitor.refusals[reason]++
    if (registry.events.watched && ref !== undefined) registry.events.refused(ref.key, reason)
    const error = new SessionRefused({
      reason,
      session: ref,
      retryAfter: retryAfter ?? registry.monitor.usualRetryAfter(reason),
      explain:
        found === undefined ? unseen && (() => explainUnseen(registry, unseen)) : this.explainLater(found),
    })
    registry.waiters.leave(task)
    this.tell(task, "rejected", error)
    if (session !== undefined) registry.waiters.left(session)
  }

  /** Everyone who waited for a failed open is told so (L10). */
  openFailed(task: Task, error: SessionOpenFailed): void {
    this.#registry.waiters.leave(task)
    this.tell(task, "rejected", error)
  }

  misuse(task: Task, reason: SessionMisuseReason): void {
    const { session } = task
    if (reason === "ReentrantRun") this.#registry.monitor.reentrant++
    this.#registry.waiters.leave(task)
    this.tell(
      task,
      "rejected",
      new SessionMisuse({ reason, session: session?.ref, explain: session && this.explainLater(session) }),
    )
  }

  readonly explainLater =
    (session: Session): (() => Explanation) =>
    () =>
      explain(session)

  unseen(key: ResolvedKey): SessionRef {
    return explainUnseen(this.#registry, key).session
  }

  stopped(task: Task, reason: TaskStoppedReason, abandoned = false, cause?: unknown): TaskStopped {
    const { session } = task
    const ref = task.generation?.ref ?? session?.ref ?? emptyRef
    return new TaskStopped({
      reason,
      session: ref,
      task: taskInfo(task, ref),
      started: task.started,
      abandoned,
      ...(cause === undefined ? undefined : { cause }),
      explain: session && this.explainLater(session),
    })
  }
}

const emptyRef: SessionRef = { name: "", key: "", id: "", owner: undefined, generation: 0, serial: 0 }
