/** Telling tasks to stop: their callers' causes at once, ours when their work ends (L5), nested calls with them (L22). */
import type { TaskStoppedReason } from "../errors.ts"
import type { OuterTask, StoppedBy } from "../observe/StopRecord.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Session } from "../session/Session.ts"
import type { Frame } from "./Frame.ts"
import { outcomeOfStop } from "./outcomes.ts"
import { noteStop, outerOf } from "./stopRecords.ts"
import type { Task } from "./Task.ts"

export class Stops {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** The caller's own causes: told at once, the work is asked to stop. */
  leave(
    task: Task,
    outcome: "cancelled" | "timedOut",
    error: unknown,
    cut?: TaskStoppedReason,
    by: StoppedBy | undefined = cut === undefined ? "signal" : undefined,
    outer?: OuterTask,
  ): void {
    if (task.outcome !== undefined) return
    const { session } = task
    if (task.state === "queued") {
      noteStop(task, cut ?? "Cancelled", this.#registry.time.now(), by, outer)
      this.#registry.waiters.leave(task)
      this.#registry.answers.tell(task, outcome, error)
      if (session !== undefined) this.#registry.waiters.left(session)
      return
    }
    task.cut ??= cut ?? "Cancelled"
    this.#registry.answers.tell(task, outcome, error)
    this.tellToStop(task, error, by, outer)
    if (session !== undefined && task.generation?.phase === "live") this.#registry.hangs.need(session)
  }

  stopForCaller(
    task: Task,
    reason: "Timeout" | "Cancelled" | "Replaced" | "CallerStopped" | "Stalled",
    by?: StoppedBy,
    outer?: OuterTask,
  ): void {
    if (task.outcome !== undefined) return
    this.leave(
      task,
      outcomeOfStop(reason) as "cancelled" | "timedOut",
      this.#registry.answers.stopped(task, reason),
      reason,
      by,
      outer,
    )
  }

  /** Our own stops: told when the work ends, or when its grace is over. */
  cut(task: Task, reason: TaskStoppedReason): void {
    if (task.state === "ended") return
    task.cut ??= reason
    // Told before: the calls it has made since then would wait for its own generation to go.
    if (task.state === "stopping") return this.cascade(task.frame)
    this.tellToStop(task, this.#registry.answers.stopped(task, task.cut))
  }

  tellToStop(task: Task, reason: unknown, by?: StoppedBy, outer?: OuterTask): void {
    if (task.state === "stopping" || task.state === "ended") return
    task.state = "stopping"
    const { monitor, time } = this.#registry
    monitor.stops[task.cut ?? "Cancelled"]++
    monitor.toldToStop++
    const now = time.now()
    task.more.toldAt = now
    noteStop(task, task.cut ?? "Cancelled", now, by, outer)
    if (task.session !== undefined) this.#registry.changed(task.session)
    const { frame } = task
    // Ended and put back in the same step, it is another run by now.
    this.#registry.steps.after(() => {
      if (task.frame === frame) task.stop(reason)
    })
    this.cascade(frame)
  }

  /** Once its work has ended, or `timeouts.grace` has passed. */
  whenEnded(task: Task, done: () => void): void {
    const { policy, timetable } = this.#registry
    const patience = timetable.at("grace", policy.timeouts.grace, done)
    ;(task.more.onEnd ??= []).push(() => {
      timetable.drop(patience)
      done()
    })
  }

  /** A nested call inherits its caller's end (L22). */
  cascade(frame: Frame | undefined): void {
    if (frame?.calls === undefined) return
    const outer = outerOf(frame.task)
    for (const call of frame.calls) {
      if (call.outcome !== undefined) continue
      // The call may be another registry's: it takes its own step there.
      this.#registry.steps.after(() => {
        call.registry.stops.stopForCaller(call, "CallerStopped", "outerTask", outer)
        call.registry.steps.commit()
      })
    }
  }

  /** `whenBusy: "replace"`: those in the way are told at once. */
  replace(session: Session): void {
    const { concurrency } = this.#registry.policy
    const generation = session.state === "Ready" ? session.generation : undefined
    const taken = generation === undefined ? 0 : generation.slotsTaken + generation.slotsLost
    for (const task of session.queue ?? []) {
      if ((session.queue?.size ?? 0) + taken < concurrency) return
      noteStop(task, "Replaced", this.#registry.time.now())
      this.#registry.waiters.leave(task)
      this.#registry.answers.tell(task, "cancelled", this.#registry.answers.stopped(task, "Replaced"))
    }
    if (generation === undefined || taken < concurrency) return
    for (const task of generation.running ?? []) {
      if (task.beside || task.state !== "running") continue
      return this.stopForCaller(task, "Replaced")
    }
  }
}
