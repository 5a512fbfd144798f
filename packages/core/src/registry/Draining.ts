/** Shutdown (L14): new work is refused, work in flight may finish within its time, everything closes in parallel. */
import { currentFrame, runClean } from "../context.ts"
import { SessionRefused } from "../errors.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { TaskInfo } from "../observe/Explanation.ts"
import type { DrainReport } from "../observe/Snapshot.ts"
import type { Session } from "../session/Session.ts"
import { activeChain } from "../task/Frame.ts"
import { taskInfo } from "../observe/taskInfo.ts"
import { outcomeOfStop } from "../task/outcomes.ts"
import type { Task } from "../task/Task.ts"
import type { Timed } from "../time/Timetable.ts"
import type { Registry } from "./Registry.ts"

export class Draining {
  readonly #registry: Registry
  /** The time is over: everything stops, nested calls too. */
  cut = false
  #began = 0
  #cutAt = Infinity
  #deadline: Timed | undefined
  #finished = 0
  #closed = 0
  readonly #cutTasks: Array<TaskInfo> = []
  readonly #leaked: Array<SessionRef> = []
  #report: DrainReport | undefined
  readonly #waiters: Array<(report: DrainReport) => void> = []
  readonly #told = new AbortController()
  readonly #tasks = new Set<AbortController>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Monotonic: when it began, and when the turns' time is or was over. */
  get began(): number {
    return this.#began
  }
  get cutAt(): number {
    return this.cut ? this.#cutAt : (this.#deadline?.dueAt ?? Infinity)
  }
  /** Aborts when the drain begins. */
  get signal(): AbortSignal {
    return this.#told.signal
  }

  /**
   * The same for one run of a task, until it ends: `AbortSignal.any` keeps what it is made of for as long as that may still
   * abort, which for the registry's own signal is the whole life of the process.
   */
  signalOf(task: Task): AbortSignal {
    const known = task.extras?.draining
    if (known !== undefined) return known.signal
    const controller = new AbortController()
    if (this.signal.aborted) controller.abort(this.signal.reason)
    else if (task.state !== "ended") {
      task.more.draining = controller
      this.#tasks.add(controller)
    }
    return controller.signal
  }
  /** Its run is over. */
  taskEnded(task: Task): void {
    const { extras } = task
    if (extras?.draining === undefined) return
    this.#tasks.delete(extras.draining)
    extras.draining = undefined
  }
  #tell(): void {
    const reason = new SessionRefused({ reason: "Draining" })
    for (const controller of [this.#told, ...this.#tasks]) controller.abort(reason)
    this.#tasks.clear()
  }

  /** A later call joins; only a shorter time counts. */
  begin(finishWithin: number, done: (report: DrainReport) => void): void {
    const registry = this.#registry
    if (this.#report !== undefined) return done(this.#report)
    this.#waiters.push(done)
    const now = registry.time.now()
    if (registry.phase === "accepting") this.#start(now)
    if (finishWithin === 0) this.#cutAll()
    else if (this.#deadline === undefined || now + finishWithin < this.#deadline.dueAt) {
      registry.timetable.drop(this.#deadline)
      this.#deadline = registry.timetable.at("drain", finishWithin, () => this.#cutAll())
    }
    registry.steps.dirty = true
    registry.steps.commit()
  }

  #start(now: number): void {
    const registry = this.#registry
    this.#began = now
    registry.phase = "draining"
    registry.events.lifecycle((stamp) => ({ _tag: "DrainStarted", ...stamp }))
    registry.steps.after(() => runClean(() => this.#tell()))
    for (const session of registry.sessions.values()) {
      for (const lease of session.generation?.cold?.leases ?? []) registry.leases.tell(lease)
      this.#refuseWaiters(session, isServed)
      if (session.waiting > 0) continue
      this.#stop(session, false)
    }
  }
  #refuseWaiters(session: Session, keep: (task: Task) => boolean): void {
    const { answers, opening, waiters } = this.#registry
    const left = [session.queue, session.arrivals].some((list) => [...(list ?? [])].some(keep))
    // Given up before its last waiter leaves, or that would be the reason.
    if (!left) opening.giveUp(session, "Drained")
    waiters.refuseAll(session, (task) => answers.refuse(task, "Draining"), keep)
  }

  #cutAll(): void {
    if (this.cut) return
    const registry = this.#registry
    this.cut = true
    this.#cutAt = registry.time.now()
    registry.timetable.drop(this.#deadline)
    for (const session of registry.sessions.values()) {
      this.#refuseWaiters(session, () => false)
      this.#stop(session, true)
    }
    registry.steps.dirty = true
  }

  #stop(session: Session, busyToo: boolean): void {
    const { closing, seats, timetable, waiters } = this.#registry
    switch (session.state) {
      case "Waiting":
        seats.leave(session)
        return waiters.rest(session)
      case "Backoff":
        timetable.drop(session.cold?.backoff)
        return waiters.rest(session)
      case "Opening":
        // Given up before its last waiter was refused.
        return
      case "Ready":
        if (busyToo || session.idle) closing.begin(session, "Drained", "forget")
        return
      case "Stopping":
        return closing.join(session)
      case "Dormant":
      case "Quarantined":
        return this.#registry.forget(session)
    }
  }

  /** A running task ended by itself while the registry drains, or was stopped. */
  note(task: Task): void {
    if (this.#registry.phase !== "draining" || task.session === undefined || task.kind === "lease") return
    // A caller that left stopped its own task; what we stopped was cut.
    const cutByUs =
      task.cut !== undefined && outcomeOfStop(task.cut) !== "cancelled" && task.cut !== "Timeout"
    if (!cutByUs) this.#finished++
    else this.#cutTasks.push(taskInfo(task, task.session.ref))
  }
  noteGone(ref: SessionRef, leaked: boolean): void {
    if (this.#registry.phase !== "draining") return
    this.#closed++
    if (leaked) this.#leaked.push(ref)
  }

  /** Drained when no generation is in service and nobody waits. */
  check(): void {
    const registry = this.#registry
    if (registry.phase !== "draining" || registry.closing.inService > 0) return
    if (registry.seats.waiting > 0 || registry.opening.backingOff > 0) return
    if (registry.closing.shut > 0 && isWaitedForAtLeak(registry.sessions.values())) return
    registry.phase = "drained"
    registry.timetable.drop(this.#deadline)
    for (const session of registry.sessions.values()) registry.tidy(session)
    const report: DrainReport = {
      finished: this.#finished,
      cut: this.#cutTasks,
      closed: this.#closed,
      leaked: this.#leaked,
      durationMs: registry.time.now() - this.#began,
    }
    this.#report = report
    registry.monitor.drained(report)
    registry.timetable.rest()
    registry.events.lifecycle((stamp) => ({ _tag: "DrainEnded", ...stamp }))
    for (const waiter of this.#waiters.splice(0)) registry.steps.after(() => waiter(report))
  }

  /** Would a drain wait for the turn it is called in? */
  isInside(): boolean {
    return activeChain(currentFrame()).some((link) => link.session?.registry === this.#registry)
  }
}

/** Somebody admitted waits for what has leaked to end, and its generation is in service no more. */
const isWaitedForAtLeak = (sessions: Iterable<Session>): boolean => {
  for (const session of sessions)
    if (session.generation?.cold?.shut !== undefined && session.waiting > 0) return true
  return false
}

/** Part of what was admitted: served until the cut. */
const isServed = (task: Task): boolean =>
  task.bound !== undefined || activeChain(task.parent).some((link) => link.kind !== "finalizer")
