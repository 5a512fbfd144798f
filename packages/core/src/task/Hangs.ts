/** Work that will not end: silence, grace, and giving up its slot so that the key goes on (L6, L13). */
import type { Registry } from "../registry/Registry.ts"
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import { outcomeOfStop } from "./outcomes.ts"
import { hopeless } from "./reentry.ts"
import { noteStop } from "./stopRecords.ts"
import type { Task } from "./Task.ts"

export class Hangs {
  readonly #registry: Registry
  /** Running tasks whose silence is watched. */
  watched = 0
  constructor(registry: Registry) {
    this.#registry = registry
  }

  watch(task: Task, silence: number, now: number): void {
    const registry = this.#registry
    const list =
      silence === registry.policy.timeouts.silence
        ? registry.silence
        : registry.timetable.list("silence", silence)
    list.add(task, now)
    this.watched++
    registry.loopTime.watch(now, silence)
  }

  /** Silent for its limit, unless the clock stood still meanwhile (L13, L23). */
  silenceDue(task: Task, now: number): void {
    const registry = this.#registry
    this.watched--
    if (task.state === "ended") return
    registry.loopTime.catchUp(now)
    // Told to stop, it may still tidy up, as long as it gives signs of life itself.
    if (task.state === "running" && task.waitsForOthers) registry.turns.progress(task)
    const silent = now - task.progressAt - (registry.loopTime.stalled - task.stallMark)
    if (silent < task.silence) return this.watch(task, task.silence - silent, now)
    // Its silence is no longer watched; from here on a grace decides.
    task.silence = Infinity
    this.#hang(task)
  }

  #hang(task: Task): void {
    const registry = this.#registry
    const { generation, session } = task
    if (generation === undefined || session === undefined || generation.phase !== "live") return
    task.cut ??= "Silent"
    registry.stops.tellToStop(task, registry.answers.stopped(task, task.cut))
    task.more.hangGrace = registry.timetable.at("grace", registry.policy.timeouts.grace, () => {
      if (task.state === "ended") return
      if (generation.phase === "live") return this.#abandonAll(generation, [task])
      // A close has begun meanwhile: its own grace takes the slot, but who waits is told now.
      registry.answers.tell(
        task,
        outcomeOfStop(task.cut ?? "Silent"),
        registry.answers.stopped(task, task.cut ?? "Silent", true),
      )
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
    const error = registry.answers.stopped(task, cut, true)
    // Whoever found its resource broken was not told to stop.
    noteStop(task, cut, undefined)
    registry.turns.settle(task, generation)
    task.abandoned = true
    generation.more.abandoned++
    if (!task.beside) generation.more.slotsLost++
    registry.monitor.abandoned++
    registry.recorder.trouble(generation, "Abandoned", `${task.name}: ${cut}`)
    registry.answers.tell(task, outcomeOfStop(cut), error)
    registry.draining.note(task)
    registry.monitor.taskEnded(task, task.outcome ?? "interrupted", registry.time.now())
  }

  #abandonAll(generation: Generation, tasks: ReadonlyArray<Task>): void {
    const registry = this.#registry
    for (const task of tasks) this.abandon(task)
    if (generation.slotsLost >= registry.policy.concurrency)
      return registry.supervision.lose(generation, "Unresponsive", undefined, "watchdog")
    this.recheck(generation.session)
    registry.turns.pump(generation.session)
  }

  /** Nested calls that can no longer be served are refused instead of waiting for themselves. */
  recheck(session: Session): void {
    for (const task of session.queue ?? []) {
      if (!hopeless(task)) continue
      this.#registry.answers.misuse(task, "ReentrantRun")
      this.#registry.waiters.left(session)
    }
  }
}
