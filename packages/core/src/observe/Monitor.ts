/** What a registry counts as it goes: plain numbers, typed arrays and a ring, nothing that is made per event. */
import {
  sessionRefusedReasons,
  taskStoppedReasons,
  type SessionRefusedReason,
  type TaskStoppedReason,
} from "../errors.ts"
import { closeReasons, type CloseReason } from "../closeReasons.ts"
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import type { Task } from "../task/Task.ts"
import type { TaskOutcome } from "./Explanation.ts"
import type { Acquisition, DrainOutcome, OpeningOutcome } from "./Inspection.ts"
import { Histogram, milliseconds } from "./Histogram.ts"
import type { DrainReport } from "./Snapshot.ts"
import { noOutcomes, TaskNames } from "./TaskNames.ts"
import { reasonOf } from "./spanTexts.ts"
import { StartOrder } from "./StartOrder.ts"
import type { StopRecord } from "./StopRecord.ts"
import { TaskRing, type TaskRecord } from "./TaskRing.ts"

const ringSize = 256
const mostUnended = 100
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
  /** From hand-in until the session was ready, of uses that had to wait for that. */
  readonly acquires: { readonly [K in Exclude<Acquisition, "hit">]: Histogram } = {
    joined: new Histogram(),
    miss: new Histogram(),
  }
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
  /** From the begin of an opening until it was ready, had failed, or was given up. */
  readonly openingTimes: { readonly [K in OpeningOutcome]: Histogram } = {
    succeeded: new Histogram(),
    failed: new Histogram(),
    timedOut: new Histogram(),
    cancelled: new Histogram(),
  }
  /** Of those that succeeded. */
  readonly opens: Histogram = this.openingTimes.succeeded
  readonly ends: Record<CloseReason, number> = zeros(closeReasons)
  readonly closes = new Histogram()
  /** From ready to closing. */
  readonly lifetimes = new Histogram(milliseconds)
  /** From the begin of a drain to its end. */
  readonly drainTimes = new Histogram()
  readonly drains: Record<DrainOutcome, number> = { finished: 0, cut: 0, leaked: 0 }
  readonly probes: { good: number; bad: number } = { good: 0, bad: 0 }
  readonly recent = new TaskRing(ringSize)
  readonly started = new StartOrder()
  /** Tasks that were abandoned and have not ended: the newest, for what never ends would be kept for ever. */
  readonly unended = new Map<StopRecord, TaskRecord>()
  /** Tasks that wait, and that run or are told to stop; leases are not among them. */
  queued = 0
  running = 0
  /** Of those that run, how many have been told to stop. */
  toldToStop = 0
  /** Called at the end of each task that was started: rarely does anybody want that. */
  onEnd: ((task: Task, ranMs: number) => void) | undefined = undefined
  /** Tasks that ended by themselves, and how long they ran in all: what others may expect. */
  #finished = 0
  #finishedMs = 0
  lost = 0
  abandoned = 0
  leaks = 0
  /** Abandoned work that has ended after all. */
  late = 0
  /** Background work that failed: nobody was there to be told. */
  unobserved = 0
  /** Calls refused because they would have waited for themselves. */
  reentrant = 0
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
    if (task.frame !== undefined) this.started.add(task.frame)
  }
  /** It waits for another generation. */
  taskPutBack(task: Task, now: number): void {
    this.running--
    this.queued++
    task.stats = undefined
    if (task.extras?.toldAt === undefined) return
    this.#stopEnded(task.extras.toldAt, now)
    // Its next run is told anew.
    task.extras.toldAt = undefined
    task.extras.stop = undefined
  }
  /** What was told to stop has ended, or is waited for no more. */
  #stopEnded(toldAt: number, now: number): void {
    this.toldToStop--
    this.stopping.record(now - toldAt)
  }
  /** Its work has ended, was abandoned, or never began. */
  taskEnded(task: Task, outcome: TaskOutcome, now: number, refusal?: unknown): void {
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
      if (task.extras?.toldAt !== undefined) this.#stopEnded(task.extras.toldAt, now)
      if (outcome === "succeeded" || outcome === "failed") {
        this.#finished++
        this.#finishedMs += ran
        if (outcome === "failed" && task.kind === "background") this.unobserved++
      }
      if (this.onEnd !== undefined) this.onEnd(task, ran)
    } else this.names.of(task.name).outcomes[outcome]++
    if (task.abandoned) task.activity?.givenUp(now, task.registry.loopTime)
    this.recent.write(task, outcome, started, now, outcome === "rejected" ? reasonOf(refusal) : undefined)
    const stop = task.extras?.stop
    if (stop !== undefined) this.#endedByStop(task, stop, now)
  }
  #endedByStop({ abandoned }: Task, stop: StopRecord, now: number): void {
    if (!abandoned) {
      stop.endedAt = now
      return
    }
    stop.abandonedAt = now
    for (const record of this.recent.newest()) {
      this.unended.set(stop, record)
      break
    }
    if (this.unended.size <= mostUnended) return
    for (const oldest of this.unended.keys()) {
      this.unended.delete(oldest)
      break
    }
  }
  /** Abandoned work has ended after all. */
  taskEndedLate(task: Task, now: number): void {
    this.late++
    const stop = task.extras?.stop
    if (stop === undefined) return
    stop.endedAt = now
    this.unended.delete(stop)
  }
  opened(generation: Generation, durationMs: number): void {
    this.openings[turnOf(generation)].succeeded++
    this.opens.record(durationMs)
  }
  openingEnded(
    generation: Generation,
    outcome: Exclude<OpeningOutcome, "succeeded">,
    durationMs: number,
  ): void {
    this.openings[turnOf(generation)][outcome]++
    this.openingTimes[outcome].record(durationMs)
  }
  /** The session is ready: whoever waited for that has it. */
  acquired(session: Session, now: number): void {
    for (const list of [session.queue, session.arrivals])
      for (let task = list?.first; task !== undefined; task = task.behind) {
        const { extras } = task
        if (extras?.awaits === undefined) continue
        this.acquires[extras.awaits].record(now - task.queuedAt)
        extras.awaits = undefined
      }
  }
  closed(reason: CloseReason, livedMs: number | undefined, durationMs: number, leaked: boolean): void {
    this.ends[reason]++
    this.closes.record(durationMs)
    if (livedMs !== undefined) this.lifetimes.record(livedMs)
    if (leaked) this.leaks++
  }
  drained({ cut, durationMs, leaked }: DrainReport): void {
    this.drains[leaked.length > 0 ? "leaked" : cut.length > 0 ? "cut" : "finished"]++
    this.drainTimes.record(durationMs)
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
