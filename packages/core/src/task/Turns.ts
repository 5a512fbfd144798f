/**
 * Carries tasks from their start to their real end, in order (L6). Every method is one step; `registry.steps` carries out
 * what it makes necessary.
 */
import type { Registry } from "../registry/Registry.ts"
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import { Frame } from "./Frame.ts"
import { outcomeOfWork } from "./outcomes.ts"
import { hopeless } from "./reentry.ts"
import { discharge, enlist } from "./slots.ts"
import { TaskList, type Task } from "./Task.ts"

export class Turns {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

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
    if (task.kind !== "background" && ++generation.turns >= registry.policy.maxTurns)
      registry.recycling.due(generation)
    registry.monitor.taskStarted(task)
    if (registry.events.watched) registry.events.task("TaskStarted", task)
    registry.steps.begin(task)
  }

  /** Carries out a start. */
  begin(task: Task): void {
    if (task.generation === undefined) return
    if (task.extras?.trace !== undefined) task.extras.trace.begun(task)
    try {
      task.begin(task.generation)
    } finally {
      // Not before: what has ended by now was never silent, and most short turns have.
      if (task.silence !== Infinity && isAtWork(task) && task.list === undefined)
        this.#registry.hangs.watch(task, task.silence, task.startedAt)
    }
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
    const { cold } = generation
    const barrier = cold?.barrier
    if (barrier !== undefined) {
      if (turnsOf(generation) === 0) return registry.closing.begin(session, barrier.reason, barrier.next)
      return registry.hangs.need(session)
    }
    if (cold?.probe !== undefined)
      registry.probes.look(generation, cold.probe, (now ??= registry.time.now()), wantsResource(session))
    if (session.waiting > 0) {
      now ??= registry.time.now()
      for (const task of session.arrivals ?? []) {
        if (this.#held(generation, now) && (task.kind !== "lease" || retires(generation))) continue
        registry.waiters.leave(task)
        this.start(session, task, now)
      }
      const { concurrency } = registry.policy
      for (let task = session.queue?.first; task !== undefined; task = session.queue?.first) {
        if (generation.slotsTaken + generation.slotsLost >= concurrency || this.#held(generation, now)) break
        registry.waiters.leave(task)
        this.start(session, task, now)
      }
    }
    if (session.idle) this.#becameIdle(session, now ?? registry.time.now())
    else registry.hangs.need(session)
  }

  /** It starts nothing: it retires, or a probe is asked. */
  #held(generation: Generation, now: number): boolean {
    const { cold } = generation
    if (cold === undefined) return false
    return (
      cold.barrier !== undefined ||
      (cold.probe !== undefined && this.#registry.probes.holds(generation, cold.probe, now))
    )
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
    try {
      this.#ended(task, returned, value)
    } catch (error) {
      // A mistake of ours is not the task's: whoever waits is told so.
      registry.answers.tell(task, "rejected", registry.defect(error, task.session))
      registry.steps.commit()
    }
  }
  #ended(task: Task, returned: boolean, value: unknown): void {
    const registry = this.#registry
    const { generation, session } = task
    if (generation === undefined || session === undefined) return
    if (task.state === "ended") return this.#endedLate(task, generation)
    const now = registry.time.now()
    const { unheard } = task
    // Aborted by what it has just done, before anybody listened.
    if (unheard !== undefined && unheard.aborted) registry.stops.leave(task, "cancelled", unheard.reason)
    const again = task.extras?.idempotent === true && !returned && runsAgain(task, generation, session)
    this.settle(task, generation)
    if (again) {
      this.#putBack(task, session, now)
      registry.closing.workEnded(generation)
      return registry.steps.commit()
    }
    if (task.outcome === undefined) {
      const outcome = outcomeOfWork(task.cut, returned)
      const told =
        returned || task.cut === undefined || outcome === "failed"
          ? value
          : registry.answers.stopped(task, task.cut, false, value)
      registry.answers.tell(task, outcome, told)
      if (outcome === "failed") {
        registry.supervision.note(session, "task", value)
        if (generation.cold?.probe !== undefined) registry.probes.doubt(generation.cold.probe, value, now)
      }
    }
    if (returned && task.kind !== "background" && generation.cold?.probe !== undefined)
      registry.probes.trust(generation.cold.probe, now)
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

  /** Waits for the next generation at its old place, its queue clock starts again (L12). */
  #putBack(task: Task, session: Session, now: number): void {
    const registry = this.#registry
    const extras = task.more
    extras.replayed = true
    extras.afterwards = undefined
    task.state = "queued"
    task.cut = undefined
    task.generation = undefined
    task.frame = undefined
    task.activity = undefined
    extras.continuations = undefined
    registry.monitor.taskPutBack(task, now)
    if (task.beside) (session.arrivals ??= new TaskList()).putBack(task)
    else (session.queue ??= new TaskList()).putBack(task)
    if (registry.policy.timeouts.queue !== Infinity)
      registry.timetable.list("queue", registry.policy.timeouts.queue).add(task, now)
    if (registry.events.watched) registry.events.task("TaskQueued", task)
  }

  /** An abandoned task ends after all: fenced off, and counted (L21). */
  #endedLate(task: Task, generation: Generation): void {
    if (!task.abandoned) return
    task.abandoned = false
    this.#registry.monitor.taskEndedLate(task, this.#registry.time.now())
    generation.more.abandoned--
    this.#registry.closing.workEnded(generation)
    this.#registry.steps.commit()
  }

  /** Out of the books: its slot is free, its frame no longer counts. */
  settle(task: Task, generation: Generation): void {
    if (task.list !== undefined) {
      task.list.remove(task)
      this.#registry.hangs.watched--
    }
    task.state = "ended"
    discharge(generation, task)
    task.frame?.end()
    const { extras } = task
    if (extras === undefined) return
    if (extras.trace !== undefined) extras.trace.settled(task)
    this.#registry.leases.served(task)
    this.#registry.draining.taskEnded(task)
    this.#registry.timetable.drop(extras.hangGrace)
    if (extras.onEnd === undefined) return
    for (const onEnd of extras.onEnd) this.#registry.steps.after(onEnd)
    extras.onEnd = undefined
  }
}

const isAtWork = ({ state }: Task): boolean => state === "running" || state === "stopping"

/** Stopped because its generation was lost, and another one is to come: then it may begin once more. */
const runsAgain = (task: Task, generation: Generation, session: Session): boolean =>
  task.outcome === undefined &&
  task.cut === "Broken" &&
  task.bound === undefined &&
  task.extras?.replayed !== true &&
  session.generation === generation &&
  session.state === "Stopping" &&
  session.next === "reopen" &&
  session.registry.phase === "accepting" &&
  // A call made by the turn that found the resource broken would wait for that turn, which waits for it.
  !hopeless(task) &&
  task.renew()

const retires = (generation: Generation): boolean => generation.cold?.barrier !== undefined

/** Somebody waits who would touch the resource: a lease does not. */
const wantsResource = (session: Session): boolean => {
  if (session.queue !== undefined) return true
  for (let task = session.arrivals?.first; task !== undefined; task = task.behind)
    if (task.kind !== "lease") return true
  return false
}

/** Turns and work beside them, without what runs in the background. */
const turnsOf = (generation: Generation): number => {
  let count = 0
  for (const task of generation.running ?? []) if (task.kind !== "background") count++
  return count
}
