/** What a registry counts as it goes: plain numbers, typed arrays and a ring, nothing that is made per event. */
import type { SessionRefusedReason } from "../errors.ts"
import type { Task } from "../task/Task.ts"
import type { TaskOutcome } from "./Explanation.ts"
import { Histogram } from "./Histogram.ts"
import { TaskRing } from "./TaskRing.ts"

const ringSize = 256
const shortestRetry = 100
const longestRetry = 60_000

const bounded = (ms: number): number => Math.min(longestRetry, Math.max(shortestRetry, Math.ceil(ms)))

export class Monitor {
  readonly outcomes: Record<TaskOutcome, number> = {
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    timedOut: 0,
    interrupted: 0,
    rejected: 0,
  }
  /** From hand-in to start. */
  readonly waits = new Histogram()
  /** From start to the real end. */
  readonly runs = new Histogram()
  readonly opens = new Histogram()
  readonly closes = new Histogram()
  readonly recent = new TaskRing(ringSize)
  /** Tasks that ended by themselves, and how long they ran in all: what others may expect. */
  #finished = 0
  #finishedMs = 0
  failedOpens = 0
  refused = 0
  lost = 0
  abandoned = 0
  leaks = 0
  /** Abandoned work that ended after all. */
  late = 0
  /** Mistakes of ours. */
  defects = 0

  taskEnded(task: Task, outcome: TaskOutcome, now: number): void {
    // A lease is granted, not run: its nothing would make every turn look shorter.
    if (task.kind === "lease") return
    this.outcomes[outcome]++
    const started = task.generation !== undefined
    if (started) {
      this.waits.record(task.startedAt - task.queuedAt)
      this.runs.record(now - task.startedAt)
      if (outcome === "succeeded" || outcome === "failed") {
        this.#finished++
        this.#finishedMs += now - task.startedAt
      }
    }
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
  opened(durationMs: number): void {
    this.opens.record(durationMs)
  }
  closed(durationMs: number, leaked: boolean): void {
    this.closes.record(durationMs)
    if (leaked) this.leaks++
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
