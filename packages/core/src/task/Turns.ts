/**
 * Carries tasks from hand-in to their real end: starts them in order, tells them to stop, tells their callers, frees or
 * loses their slots (L5, L6, L13, L22). Every method is one step; `registry.steps` carries out what it makes necessary.
 */
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
import type { Registry } from "../registry/Registry.ts"
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import { Frame } from "./Frame.ts"
import { outcomeOfStop, outcomeOfWork } from "./outcomes.ts"
import { hopeless } from "./reentry.ts"
import { discharge, enlist } from "./slots.ts"
import { taskInfo } from "../observe/taskInfo.ts"
import type { Refusal, Task } from "./Task.ts"

export class Turns {
  readonly #registry: Registry
  /** Running tasks whose silence is watched. */
  watched = 0
  constructor(registry: Registry) {
    this.#registry = registry
  }

  // ── telling the caller ──

  /** Fixes the outcome; the first cause that gets here decides (L5). */
  tell(task: Task, outcome: TaskOutcome, value: unknown): void {
    if (task.outcome !== undefined) return
    task.outcome = outcome
    const { extras, parent } = task
    if (extras !== undefined) {
      this.#registry.timetable.drop(extras.timeout)
      this.#registry.timetable.drop(extras.seat)
      extras.unlisten?.()
      extras.unlisten = undefined
    }
    if (task.state === "queued") {
      task.state = "ended"
      if (task.list !== undefined) task.list.remove(task)
      this.#registry.monitor.taskEnded(task, outcome, this.#registry.time.now())
      this.#registry.leases.served(task)
    }
    if (parent !== undefined) {
      parent.calls?.delete(task)
      // Its caller's silence stood still while this call was under way.
      if (parent.task?.state === "running") parent.task.registry.turns.progress(parent.task)
    }
    task.deliver(outcome, value)
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
    registry.monitor.refused++
    if (registry.events.watched && ref !== undefined) registry.events.refused(ref.key, reason)
    const error = new SessionRefused({
      reason,
      session: ref,
      retryAfter: retryAfter ?? registry.monitor.usualRetryAfter(reason),
      explain:
        found === undefined ? unseen && (() => explainUnseen(registry, unseen)) : this.explainLater(found),
    })
    this.#leaveQueue(task)
    this.tell(task, "rejected", error)
    if (session !== undefined) this.#waiterLeft(session)
  }
  /** Everyone who waited for a failed open is told so (L10). */
  openFailed(task: Task, error: SessionOpenFailed): void {
    this.#leaveQueue(task)
    this.tell(task, "rejected", error)
  }
  misuse(task: Task, reason: SessionMisuseReason): void {
    const { session } = task
    this.#leaveQueue(task)
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

  /** Everyone who waits is told. `keep` says who is not. */
  refuseAll(session: Session, refuse: (task: Task) => void, keep?: (task: Task) => boolean): void {
    for (const list of [session.queue, session.arrivals]) {
      for (const task of list ?? []) if (keep?.(task) !== true) refuse(task)
    }
  }

  // ── waiting ──

  /** `true` when it waited. */
  #leaveQueue(task: Task): boolean {
    const { session } = task
    if (task.state !== "queued" || session === undefined) return false
    const list = task.beside ? session.arrivals : session.queue
    // A task that is refused at the door is in no list yet.
    if (list === undefined || (task.before === undefined && list.first !== task)) return false
    list.remove(task)
    if (list.size === 0) {
      if (task.beside) session.arrivals = undefined
      else session.queue = undefined
    }
    return true
  }

  /** The last waiter left: an open that nobody waits for is told to stop (L1), an idle session's clock starts (L8). */
  #waiterLeft(session: Session): void {
    const registry = this.#registry
    this.need(session)
    if (session.waiting > 0) return
    switch (session.state) {
      case "Opening":
        if (session.cold?.eager !== true) registry.opening.giveUp(session, "OpenCancelled")
        return
      case "Waiting":
        registry.seats.leave(session)
        return this.rest(session)
      case "Backoff":
        if (session.cold?.eager === true) return
        return this.stopBackingOff(session)
      case "Ready":
        return this.pump(session)
      case "Dormant":
      case "Quarantined":
      case "Stopping":
    }
  }

  /** The next open is not wanted any more. */
  stopBackingOff(session: Session): void {
    this.#registry.timetable.drop(session.cold?.backoff)
    this.rest(session)
  }
  /** Nobody waits and nothing is open: the seat goes back. */
  rest(session: Session): void {
    const registry = this.#registry
    const cold = session.cold
    const quarantined = cold?.trial === true && cold.until > 0
    if (session.state === "Backoff") registry.opening.backingOff--
    registry.setState(session, quarantined ? "Quarantined" : "Dormant")
    registry.seats.release(session)
    registry.steps.dirty = true
    registry.tidy(session)
  }

  // ── stopping ──

  /** The caller's own causes: told at once, the work is asked to stop. */
  leave(task: Task, outcome: "cancelled" | "timedOut", error: unknown, cut?: TaskStoppedReason): void {
    if (task.outcome !== undefined) return
    const { session } = task
    if (task.state === "queued") {
      this.#leaveQueue(task)
      this.tell(task, outcome, error)
      if (session !== undefined) this.#waiterLeft(session)
      return
    }
    task.cut ??= cut ?? "Cancelled"
    this.tell(task, outcome, error)
    this.#tellToStop(task, error)
    if (session !== undefined && task.generation?.phase === "live") this.need(session)
  }
  stopForCaller(
    task: Task,
    reason: "Timeout" | "Cancelled" | "Replaced" | "CallerStopped" | "Stalled",
  ): void {
    if (task.outcome !== undefined) return
    this.leave(task, outcomeOfStop(reason) as "cancelled" | "timedOut", this.stopped(task, reason), reason)
  }
  /** Our own stops: told when the work ends, or when its grace is over. */
  cut(task: Task, reason: TaskStoppedReason): void {
    if (task.state === "ended") return
    task.cut ??= reason
    // Told before: the calls it has made since then would wait for its own generation to go.
    if (task.state === "stopping") return this.cascade(task.frame)
    this.#tellToStop(task, this.stopped(task, task.cut))
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
  #tellToStop(task: Task, reason: unknown): void {
    if (task.state === "stopping" || task.state === "ended") return
    task.state = "stopping"
    this.#registry.steps.after(() => task.stop(reason))
    this.cascade(task.frame)
  }
  /** A nested call inherits its caller's end (L22). */
  cascade(frame: Frame | undefined): void {
    if (frame?.calls === undefined) return
    for (const call of frame.calls) {
      if (call.outcome !== undefined) continue
      // The call may be another registry's: it takes its own step there.
      this.#registry.steps.after(() => {
        call.registry.turns.stopForCaller(call, "CallerStopped")
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
      this.#leaveQueue(task)
      this.tell(task, "cancelled", this.stopped(task, "Replaced"))
    }
    if (generation === undefined || taken < concurrency) return
    for (const task of generation.running ?? []) {
      if (task.beside || task.state !== "running") continue
      return this.stopForCaller(task, "Replaced")
    }
  }

  // ── running ──

  start(session: Session, task: Task, now: number): void {
    const registry = this.#registry
    const generation = session.generation
    if (generation === undefined) return
    if (session.list !== undefined) session.list.remove(session)
    if (task.list !== undefined) task.list.remove(task)
    if (task.kind === "lease") return registry.leases.grant(task, generation, now)
    task.state = "running"
    task.generation = generation
    task.startedAt = now
    task.progressAt = now
    task.stallMark = registry.loopTime.mark(now)
    task.frame = new Frame("turn", session, task, task.parent)
    enlist(generation, task)
    if (task.silence !== Infinity) this.#watch(task, task.silence, now)
    if (registry.events.watched) registry.events.task("TaskStarted", task)
    registry.steps.begin(task)
  }
  #watch(task: Task, silence: number, now: number): void {
    const registry = this.#registry
    const list =
      silence === registry.policy.timeouts.silence
        ? registry.silence
        : registry.timetable.list("silence", silence)
    list.add(task, now)
    this.watched++
    registry.loopTime.watch(now)
  }

  /** Carries out a start. */
  begin(task: Task): void {
    if (task.generation !== undefined) task.begin(task.generation)
  }

  progress(task: Task): void {
    const registry = this.#registry
    task.progressAt = registry.time.now()
    task.stallMark = registry.loopTime.mark(task.progressAt)
  }

  /** Starts whoever can start. */
  pump(session: Session, now?: number): void {
    const registry = this.#registry
    const generation = session.generation
    if (session.state !== "Ready" || generation === undefined) return
    const barrier = generation.cold?.barrier
    if (barrier !== undefined) {
      if (turnsOf(generation) === 0) return registry.closing.begin(session, barrier.reason, barrier.next)
      return this.need(session)
    }
    if (session.waiting > 0) {
      now ??= registry.time.now()
      for (const task of session.arrivals ?? []) {
        this.#leaveQueue(task)
        this.start(session, task, now)
      }
      const { concurrency } = registry.policy
      for (let task = session.queue?.first; task !== undefined; task = session.queue?.first) {
        if (generation.slotsTaken + generation.slotsLost >= concurrency) break
        this.#leaveQueue(task)
        this.start(session, task, now)
      }
    }
    if (session.idle) this.#becameIdle(session, now ?? registry.time.now())
    else this.need(session)
  }
  #becameIdle(session: Session, now: number): void {
    const registry = this.#registry
    if (registry.phase !== "accepting") return registry.closing.begin(session, "Drained", "forget")
    if (session.list === undefined) registry.idle.add(session, now)
    if (registry.seats.waiting > 0) registry.steps.dirty = true
  }

  /** The work has ended: `value` is what it returned, or threw. */
  ended(task: Task, returned: boolean, value: unknown): void {
    const registry = this.#registry
    const { generation, session } = task
    if (generation === undefined || session === undefined) return
    if (task.state === "ended") return this.#endedLate(task, generation)
    const now = registry.time.now()
    this.#settle(task, generation)
    if (task.outcome === undefined) {
      const outcome = outcomeOfWork(task.cut, returned)
      const told =
        returned || task.cut === undefined || outcome === "failed"
          ? value
          : this.stopped(task, task.cut, false, value)
      this.tell(task, outcome, told)
      if (outcome === "failed") registry.supervision.note(session, "task", value)
    }
    registry.draining.note(task)
    registry.monitor.taskEnded(task, task.outcome ?? "interrupted", now)
    const afterwards = task.extras?.afterwards
    const live = generation.phase === "live"
    if (afterwards === "close" || (live && afterwards !== undefined))
      registry.closing.afterTurn(session, afterwards)
    else if (live) this.pump(session, now)
    if (!live) registry.closing.workEnded(generation)
    if (registry.phase === "draining") registry.steps.dirty = true
    registry.steps.commit()
  }
  /** An abandoned task ends after all: fenced off, and counted (L21). */
  #endedLate(task: Task, generation: Generation): void {
    if (!task.abandoned) return
    task.abandoned = false
    this.#registry.monitor.late++
    generation.more.abandoned--
    this.#registry.closing.workEnded(generation)
    this.#registry.steps.commit()
  }
  /** Out of the books: its slot is free, its frame no longer counts. */
  #settle(task: Task, generation: Generation): void {
    if (task.list !== undefined) task.list.remove(task)
    if (task.silence !== Infinity) this.watched--
    task.state = "ended"
    discharge(generation, task)
    task.frame?.end()
    const { extras } = task
    if (extras === undefined) return
    this.#registry.leases.served(task)
    this.#registry.timetable.drop(extras.hangGrace)
    for (const onEnd of extras.onEnd ?? []) this.#registry.steps.after(onEnd)
    extras.onEnd = undefined
  }

  // ── hanging ──

  /** Silent for its limit, unless the clock stood still meanwhile (L13, L23). */
  silenceDue(task: Task, now: number): void {
    const registry = this.#registry
    this.watched--
    if (task.state === "ended") return
    registry.loopTime.catchUp(now)
    // Told to stop, it may still tidy up, as long as it gives signs of life itself.
    if (task.state === "running" && task.waitsForOthers) this.progress(task)
    const silent = now - task.progressAt - (registry.loopTime.stalled - task.stallMark)
    if (silent < task.silence) return this.#watch(task, task.silence - silent, now)
    // Its silence is no longer watched; from here on a grace decides.
    task.silence = Infinity
    this.#hang(task)
  }
  #hang(task: Task): void {
    const registry = this.#registry
    const { generation, session } = task
    if (generation === undefined || session === undefined || generation.phase !== "live") return
    task.cut ??= "Silent"
    this.#tellToStop(task, this.stopped(task, task.cut))
    task.more.hangGrace = registry.timetable.at("grace", registry.policy.timeouts.grace, () => {
      if (task.state === "ended") return
      if (generation.phase === "live") return this.#abandonAll(generation, [task])
      // A close has begun meanwhile: its own grace takes the slot, but who waits is told now.
      this.tell(task, outcomeOfStop(task.cut ?? "Silent"), this.stopped(task, task.cut ?? "Silent", true))
    })
    this.need(session)
  }

  /** The slots of turns that were told to stop and do not: once somebody needs one, they have `grace` to end (L6). */
  need(session: Session): void {
    const registry = this.#registry
    const generation = session.generation
    if (generation === undefined || generation.phase !== "live") return
    const { cold } = generation
    const wanted = this.#slotsAreInTheWay(session, generation)
    if (!wanted) {
      if (cold?.needGrace === undefined) return
      registry.timetable.drop(cold.needGrace)
      cold.needGrace = undefined
      return
    }
    if (cold?.needGrace !== undefined) return
    generation.more.needGrace = registry.timetable.at("grace", registry.policy.timeouts.grace, () => {
      generation.more.needGrace = undefined
      if (generation.phase !== "live") return
      // All that are lost at one moment are lost in one step, so that who waits moves on and is not refused in between.
      this.#abandonAll(
        generation,
        [...(generation.running ?? [])].filter((task) => task.state === "stopping" && !task.beside),
      )
    })
  }
  #slotsAreInTheWay(session: Session, generation: Generation): boolean {
    if (session.waiting === 0 || generation.slotsTaken === 0) return false
    const barrier = generation.cold?.barrier !== undefined
    const full = generation.slotsTaken + generation.slotsLost >= this.#registry.policy.concurrency
    if (!barrier && (session.queue === undefined || !full)) return false
    for (const task of generation.running ?? []) if (!task.beside && task.state !== "stopping") return false
    return true
  }

  /** Stops waiting for what will not end: its caller is told, its slot is lost to this generation. */
  abandon(task: Task): void {
    const registry = this.#registry
    const { generation } = task
    if (generation === undefined || task.state === "ended") return
    const cut = task.cut ?? "Cancelled"
    const error = this.stopped(task, cut, true)
    this.#settle(task, generation)
    task.abandoned = true
    generation.more.abandoned++
    if (!task.beside) generation.slotsLost++
    registry.monitor.abandoned++
    this.tell(task, outcomeOfStop(cut), error)
    registry.draining.note(task)
    registry.monitor.taskEnded(task, task.outcome ?? "interrupted", registry.time.now())
  }
  #abandonAll(generation: Generation, tasks: ReadonlyArray<Task>): void {
    const registry = this.#registry
    for (const task of tasks) this.abandon(task)
    if (generation.slotsLost >= registry.policy.concurrency)
      return registry.supervision.lose(generation, "Unresponsive", undefined)
    this.recheck(generation.session)
    this.pump(generation.session)
  }
  /** Nested calls that can no longer be served are refused instead of waiting for themselves. */
  recheck(session: Session): void {
    for (const task of session.queue ?? []) {
      if (!hopeless(task)) continue
      this.misuse(task, "ReentrantRun")
      this.#waiterLeft(session)
    }
  }
}

/** Turns and work beside them, without what runs in the background. */
const turnsOf = (generation: Generation): number => {
  let count = 0
  for (const task of generation.running ?? []) if (task.kind !== "background") count++
  return count
}
const emptyRef: SessionRef = { name: "", key: "", id: "", owner: undefined, generation: 0, serial: 0 }
