/** What a registry counts as it goes: plain numbers, typed arrays and a ring, nothing that is made per event. */
import {
  sessionRefusedReasons,
  taskStoppedReasons,
  type SessionRefusedReason,
  type TaskStoppedReason,
} from "../errors.ts"
import { closeReasons, type CloseReason } from "../closeReasons.ts"
import type { Generation } from "../session/Generation.ts"
import type { Task } from "../task/Task.ts"
import type { TaskOutcome } from "./Explanation.ts"
import type { Acquisition, OpeningOutcome } from "./Inspection.ts"
import { Histogram } from "./Histogram.ts"
import { noOutcomes, TaskNames } from "./TaskNames.ts"
import { TaskRing } from "./TaskRing.ts"

const ringSize = 256
const shortestRetry = 100
const longestRetry = 60_000

const bounded = (ms: number): number => Math.min(longestRetry, Math.max(shortestRetry, Math.ceil(ms)))

const zeros = <K extends string>(names: ReadonlyArray<K>): Record<K, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>
const noOpenings = (): Record<OpeningOutcome, number> => ({
  succeeded: 0,
  failed: 0,
  timedOut: 0,
  cancelled: 0,
})

export class Monitor {
  readonly outcomes: Record<TaskOutcome, number> = noOutcomes()
  readonly names = new TaskNames()
  readonly acquisitions: Record<Acquisition, number> = { hit: 0, joined: 0, miss: 0 }
  readonly refusals: Record<SessionRefusedReason, number> = zeros(sessionRefusedReasons)
  /** Tasks told to stop, by what for. */
  readonly stops: Record<TaskStoppedReason, number> = zeros(taskStoppedReasons)
  /** From being told to stop to the real end, or until it was abandoned. */
  readonly stopping = new Histogram()
  /** From hand-in to start. */
  readonly waits = new Histogram()
  /** Openings of a stay's first generation, and of those that replace one. */
  readonly openings: { readonly [K in "first" | "again"]: Record<OpeningOutcome, number> } = {
    first: noOpenings(),
    again: noOpenings(),
  }
  /** That succeeded. */
  readonly opens = new Histogram()
  readonly ends: Record<CloseReason, number> = zeros(closeReasons)
  readonly closes = new Histogram()
  /** From ready to closing. */
  readonly lifetimes = new Histogram()
  readonly probes: { good: number; bad: number } = { good: 0, bad: 0 }
  readonly recent = new TaskRing(ringSize)
  /** Tasks that wait, and that run or are told to stop; leases are not among them. */
  queued = 0
  running = 0
  /** Tasks that ended by themselves, and how long they ran in all: what others may expect. */
  #finished = 0
  #finishedMs = 0
  lost = 0
  abandoned = 0
  leaks = 0
  /** Abandoned work that has ended after all. */
  late = 0
  /** Mistakes of ours. */
  defects = 0

  /** From start to the real end, of all tasks: added up when it is read, since each is counted by its name. */
  get runs(): Histogram {
    const all = new Histogram()
    for (const { runs } of this.names.all()) all.add(runs)
    return all
  }

  taskStarted(task: Task): void {
    this.running++
    const stats = this.names.of(task.name)
    stats.started++
    task.stats = stats
  }
  /** It waits for another generation. */
  taskPutBack(task: Task): void {
    this.running--
    this.queued++
    task.stats = undefined
  }
  /** Its work has ended, was abandoned, or never began. */
  taskEnded(task: Task, outcome: TaskOutcome, now: number): void {
    // A lease is granted, not run: its nothing would make every turn look shorter.
    if (task.kind === "lease") return
    this.outcomes[outcome]++
    const { stats } = task
    const started = stats !== undefined
    if (started) {
      const ran = now - task.startedAt
      this.running--
      this.waits.record(task.startedAt - task.queuedAt)
      stats.runs.record(ran)
      stats.outcomes[outcome]++
      if (task.extras?.toldAt !== undefined) this.stopping.record(now - task.extras.toldAt)
      if (outcome === "succeeded" || outcome === "failed") {
        this.#finished++
        this.#finishedMs += ran
      }
    } else this.names.of(task.name).outcomes[outcome]++
    this.recent.write(
      task.session?.key ?? "",
      task.name,
      outcome,
      task.number,
      task.queuedAt,
      started ? task.startedAt : Number.NaN,
      now,
    )
  }
  opened(generation: Generation, durationMs: number): void {
    this.openings[turnOf(generation)].succeeded++
    this.opens.record(durationMs)
  }
  openingEnded(generation: Generation, outcome: Exclude<OpeningOutcome, "succeeded">): void {
    this.openings[turnOf(generation)][outcome]++
  }
  closed(reason: CloseReason, livedMs: number | undefined, durationMs: number, leaked: boolean): void {
    this.ends[reason]++
    this.closes.record(durationMs)
    if (livedMs !== undefined) this.lifetimes.record(livedMs)
    if (leaked) this.leaks++
  }
  get failedOpens(): number {
    const { again, first } = this.openings
    return first.failed + first.timedOut + again.failed + again.timedOut
  }
  get refused(): number {
    return Object.values(this.refusals).reduce((sum, count) => sum + count, 0)
  }
  /** When `ahead` turns of the usual length will be over, `concurrency` of them at a time. */
  turnsRetryAfter(ahead: number, concurrency: number): number {
    return bounded(this.#usualRun * Math.ceil(ahead / concurrency))
  }
  /** When a place is likely to come free: a turn of the usual length ends, and its session closes, unless one closes already. */
  seatRetryAfter(closing: boolean): number {
    return bounded((closing ? 0 : this.#usualRun) + this.closes.mean)
  }
  get #usualRun(): number {
    return this.#finished === 0 ? 0 : this.#finishedMs / this.#finished
  }
  /** For refusals that know no better; undefined: trying again does not help. */
  usualRetryAfter(reason: SessionRefusedReason): number | undefined {
    switch (reason) {
      case "QueueTimeout":
        return this.turnsRetryAfter(1, 1)
      case "Closed":
        return 0
      case "MaxSessions":
      case "MaxPerOwner":
      case "MaxHeap":
      case "MaxLeaked":
      case "MaxQueued":
      case "MaxNewOwners":
      case "Busy":
      case "Quarantined":
      case "Draining":
      case "NotFound":
      case "LeaseEnded":
      case "ReplayGap":
        return undefined
    }
  }
}

const turnOf = (generation: Generation): "first" | "again" => (generation.number === 1 ? "first" : "again")
