/**
 * The sessions of one kind in which something goes on. An idle one is not looked at; one that runs a single task, or is
 * merely leased, sleeps until something about it may be due or it changes; the others are looked at each time. So a look
 * costs what goes on, and not how many sessions there are.
 */
import type { Inspection } from "../observe/Inspection.ts"
import type { LiveSession, LiveTask } from "../observe/Live.ts"
import { closeWithin } from "../registry/process.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { Verdict } from "./hysteresis.ts"
import type { Judge, Subject, TaskWarnings } from "./Judge.ts"
import { RisingFloor } from "./RisingFloor.ts"
import {
  closeLimit,
  closeSlow,
  creationStampede,
  fanOut,
  leaseLeak,
  leaseLimit,
  openingLimit,
  pendingHigh,
  slowCreation,
  tasksAccumulating,
} from "./rules/sessions.ts"
import { overdueLimit, silentLimit, taskNoProgress, taskOverdue, uninterruptible } from "./rules/tasks.ts"
import { lookEvery, quarterOf, type AllLimits } from "./thresholds.ts"
import type { Usual } from "./Usual.ts"

/** At one time; with more the others have to wait for the next. */
const mostLooks = 4096
/** Of one session: the oldest. */
const mostTasks = 1000
const longestSleep = 60
/** Of tasks of which warnings are raised. */
const looksWhileRaised = 5
/** Of a task that waits for another. */
const looksWhileWaiting = 5
/** Where nothing can be said yet. */
const looksUntilKnown = 10

class Track implements Subject {
  readonly key: string
  /** Holds the session: dropped with it. */
  live: LiveSession
  held: Subject["held"] = undefined
  floor: RisingFloor | undefined = undefined
  /** The floor when tasks-accumulating was last true. */
  raisedAt: number | undefined = undefined
  pending: number
  /** Of the last look. */
  lookedAt: number
  /** When it last changed. */
  changedAt: number
  /** When something about one of its tasks may be due. */
  tasksDue = Infinity
  tasksWarnedOf: TaskWarnings = "none"
  /** Tasks that ran when each was last looked at. */
  running = 0
  wakesAt = Infinity
  /** Since the last look; until it changes it has no more tasks than then. */
  slept = false
  constructor(live: LiveSession, look: number) {
    this.key = live.key
    this.live = live
    this.pending = 0
    this.lookedAt = look - 1
    this.changedAt = look
  }
  ref(): SessionRef {
    return this.live.ref
  }
}

const looksIn = (ms: number): number => Math.max(1, Math.ceil(ms / lookEvery))

/** Nothing to be seen in it. */
const isQuiet = (session: LiveSession): boolean =>
  session.isIdle || ((session.state === "Closed" || session.state === "Quarantined") && session.queued === 0)

export class SessionWatch {
  readonly #inspection: Inspection
  readonly #judge: Judge
  readonly #usual: Usual
  readonly #allowedToClose: number
  readonly #tracks = new Map<string, Track>()
  readonly #awake = new Set<Track>()
  /** By the look in which they wake. */
  readonly #asleep = new Map<number, Set<Track>>()
  #cursor: Iterator<Track> | undefined
  #now = 0

  constructor(inspection: Inspection, judge: Judge, usual: Usual) {
    this.#inspection = inspection
    this.#judge = judge
    this.#usual = usual
    this.#allowedToClose = closeWithin(inspection.sessions) ?? Infinity
  }
  /** Sessions that are kept in mind. */
  get size(): number {
    return this.#tracks.size
  }

  /** It changed, or is seen for the first time; `known`: the last look would have shown it. */
  visit(session: LiveSession, known: boolean): void {
    const { look } = this.#judge
    let track = this.#tracks.get(session.key)
    if (track === undefined) {
      if (isQuiet(session)) return
      track = new Track(session.keep(), look)
      if (!known) {
        track.lookedAt = -Infinity
        track.tasksDue = look
      }
      this.#tracks.set(track.key, track)
    } else {
      // The key may have been forgotten and come again since.
      track.live = session.keep()
      track.changedAt = look
    }
    track.tasksDue = Math.min(track.tasksDue, look + this.#soonest)
    this.#wake(track)
  }
  #wake(track: Track): void {
    this.#asleep.get(track.wakesAt)?.delete(track)
    track.wakesAt = Infinity
    this.#awake.add(track)
  }
  /** What is new in a session is not due before that. */
  get #soonest(): number {
    const { limits } = this.#judge.settings
    return looksIn(
      Math.min(limits["task-overdue"].age, limits["task-no-progress"].silent, limits.uninterruptible.told),
    )
  }
  /** Thresholds have changed: what was due later may be due now. */
  wakeAll(): void {
    for (const track of this.#tracks.values()) {
      track.tasksDue = 0
      this.#wake(track)
    }
  }

  look(): void {
    const { look } = this.#judge
    this.#now = this.#inspection.now()
    for (const track of this.#asleep.get(look) ?? []) this.#wake(track)
    this.#asleep.delete(look)
    if (this.#awake.size <= mostLooks) {
      this.#cursor = undefined
      for (const track of this.#awake) this.#lookAt(track)
      return
    }
    for (let left = mostLooks; left > 0; left--) {
      const next = (this.#cursor ??= this.#awake.values()).next()
      if (next.done === true) this.#cursor = undefined
      else this.#lookAt(next.value)
    }
  }

  #lookAt(track: Track): void {
    const { live } = track
    const { state } = live
    if (state === "Closed" || state === "Quarantined") return this.#drop(track)
    this.#lookAtTasksOf(track, live.running, live.queued)
    this.#lookAtLife(track, live, state)
    const { look } = this.#judge
    const isLeased = track.pending === 0 && state === "Ready" && live.leases > 0
    const leaseDue =
      isLeased || track.held?.has("lease-leak") === true ? this.#lookAtLeases(track, isLeased) : Infinity
    const { running } = live
    const isDue = look >= track.tasksDue || track.tasksWarnedOf === "moving"
    // What is raised stays so while the same tasks run, but for their progress.
    if (isDue || (track.tasksWarnedOf === "raised" && running !== track.running)) this.#lookAtEachTask(track)
    track.running = running
    const tasksDue = running > 0 ? track.tasksDue : Infinity
    track.lookedAt = look
    this.#rest(track, state === "Ready", Math.min(tasksDue, leaseDue))
  }
  #rest(track: Track, isReady: boolean, due: number): void {
    const { live, pending } = track
    if (track.held !== undefined || !isReady || pending > 1 || live.queued > 0) return
    if (live.isIdle) return this.#drop(track)
    const { look } = this.#judge
    if (due <= look + 1) return
    this.#awake.delete(track)
    track.floor = undefined
    track.slept = true
    // That a task or a lease ended is no change: what became idle meanwhile must not be kept for ever.
    track.wakesAt = Math.min(due, look + longestSleep)
    const sleepers = this.#asleep.get(track.wakesAt)
    if (sleepers === undefined) this.#asleep.set(track.wakesAt, new Set([track]))
    else sleepers.add(track)
  }
  #drop(track: Track): void {
    this.#judge.dropAll(track)
    this.#awake.delete(track)
    this.#asleep.get(track.wakesAt)?.delete(track)
    this.#tracks.delete(track.key)
  }
  end(): void {
    for (const track of this.#tracks.values()) this.#judge.dropAll(track)
    this.#tracks.clear()
    this.#awake.clear()
    this.#asleep.clear()
  }

  get #limits(): AllLimits {
    return this.#judge.settings.limits
  }

  #lookAtTasksOf(track: Track, running: number, queued: number): void {
    const limits = this.#limits
    const pending = running + queued
    const isNext = track.slept || track.lookedAt === this.#judge.look - 1
    track.slept = false
    const grown = isNext ? pending - track.pending : undefined
    track.pending = pending
    if (pending > 1 || track.floor !== undefined) {
      const floor = (track.floor ??= new RisingFloor())
      floor.add(pending, quarterOf(limits["tasks-accumulating"].window))
      this.#lookAtFloor(track, floor, pending)
    }
    const { maxQueued } = this.#inspection.limits
    const high = pendingHigh({ pending, queued, maxQueued }, limits["pending-high"])
    if (this.#judge.matters(track, "pending-high", high))
      this.#judge.take(track, "pending-high", high, () => ({
        pending,
        queued,
        maxQueued: maxQueued === Infinity ? -1 : maxQueued,
      }))
    const fan = fanOut(grown, limits["fan-out"])
    if (this.#judge.matters(track, "fan-out", fan))
      this.#judge.take(track, "fan-out", fan, () => ({ grown: grown ?? 0, pending }))
  }
  #lookAtFloor(track: Track, floor: RisingFloor, pending: number): void {
    const verdict = tasksAccumulating(floor, track.raisedAt, this.#limits["tasks-accumulating"])
    if (verdict === "bad") track.raisedAt = floor.floor
    if (!this.#judge.matters(track, "tasks-accumulating", verdict)) return
    this.#judge.take(track, "tasks-accumulating", verdict, () => ({
      pending,
      floor: floor.floor,
      before: floor.before,
    }))
    if (track.held?.has("tasks-accumulating") !== true) track.raisedAt = undefined
  }

  #lookAtLife(track: Track, live: LiveSession, state: LiveSession["state"]): void {
    const limits = this.#limits
    const since = state === "Opening" ? live.openingSince : undefined
    const elapsed = since === undefined ? undefined : this.#now - since
    const waiters = state === "Opening" || state === "Waiting" || state === "Backoff" ? live.queued : 0
    const stampede = creationStampede(waiters, limits["creation-stampede"])
    if (this.#judge.matters(track, "creation-stampede", stampede))
      this.#judge.take(track, "creation-stampede", stampede, () => ({ waiters, elapsedMs: elapsed ?? -1 }))
    const isLong = elapsed !== undefined && elapsed > limits["slow-creation"].age
    if (isLong || track.held?.has("slow-creation") === true) this.#lookAtOpening(track, elapsed, waiters)
    const closingSince = live.closingSince
    const closing = closingSince === undefined ? undefined : this.#now - closingSince
    const slow = closeSlow(closing, closeLimit(this.#allowedToClose, limits["close-slow"]))
    if (this.#judge.matters(track, "close-slow", slow))
      this.#judge.take(track, "close-slow", slow, () => ({
        closingMs: closing ?? 0,
        allowedMs: this.#allowedToClose === Infinity ? -1 : this.#allowedToClose,
      }))
  }
  #lookAtOpening(track: Track, elapsed: number | undefined, waiters: number): void {
    const limits = this.#limits["slow-creation"]
    const { samples, usual } = this.#usual.opening(this.#judge.look)
    const known = samples >= limits.samples ? usual : 0
    const limitMs = openingLimit(known, limits)
    this.#judge.take(track, "slow-creation", slowCreation(elapsed, limitMs), () => ({
      elapsedMs: elapsed ?? 0,
      limitMs,
      usualMs: known,
      waiters,
    }))
  }

  /** When it is to be looked at again. */
  #lookAtLeases(track: Track, isLeased: boolean): number {
    const limits = this.#limits["lease-leak"]
    const { look } = this.#judge
    let quietMs = 0
    let silenceMs = 0
    let verdict: Verdict = "good"
    let due = Infinity
    if (isLeased)
      for (const lease of track.live.held()) {
        const limit = leaseLimit(lease.silence, limits)
        if (limit === Infinity || lease.inUse) continue
        const quiet = this.#now - lease.progressAt
        due = Math.min(due, limit - quiet)
        if (leaseLeak(quiet, limit) === "bad" && quiet > quietMs) {
          verdict = "bad"
          quietMs = quiet
          silenceMs = lease.silence
        }
      }
    // It is the session that must have been without work, too.
    const workless = (look - track.changedAt) * lookEvery
    if (verdict === "bad" && workless < limits.quiet) {
      verdict = "good"
      due = limits.quiet - workless
    }
    if (this.#judge.matters(track, "lease-leak", verdict))
      this.#judge.take(track, "lease-leak", verdict, () => ({
        leases: track.live.leases,
        quietMs,
        silenceMs,
      }))
    return due === Infinity ? Infinity : look + looksIn(due)
  }

  #lookAtEachTask(track: Track): void {
    let due = Infinity
    let seen = 0
    for (const task of track.live.tasks()) {
      const { startedAt } = task
      // Those that wait come after those that run.
      if (startedAt === undefined || ++seen > mostTasks) break
      due = Math.min(due, this.#lookAtTask(track, task, this.#now - startedAt))
    }
    track.tasksWarnedOf = this.#judge.dropUnseen(track)
    const looks = looksIn(due)
    track.tasksDue =
      this.#judge.look + (track.tasksWarnedOf === "raised" ? Math.max(looksWhileRaised, looks) : looks)
  }
  /** Milliseconds until something about it may be due, unless it changes. */
  #lookAtTask(track: Track, task: LiveTask, ageMs: number): number {
    const limits = this.#limits
    const { silence, toldAt } = task
    const told = toldAt === undefined ? undefined : this.#now - toldAt
    const stuck = uninterruptible(told, limits.uninterruptible)
    if (track.held !== undefined || stuck === "bad")
      this.#judge.takeOf(task, track, "uninterruptible", stuck, () => ({ toldMs: told ?? 0, ageMs }))
    // Whatever else is to be said of it: it has been told to stop.
    if (told !== undefined) return limits.uninterruptible.told - told
    const silentMs = this.#now - Math.max(task.progressAt ?? 0, task.resumedAt ?? 0)
    const silent = silentLimit(silence, limits["task-no-progress"])
    const waits = silentMs >= silent && (task.waitsForCall || task.waitsForConsumer)
    const hangs = taskNoProgress(silentMs, silent, waits)
    if (track.held !== undefined || hangs === "bad")
      this.#judge.takeOf(task, track, "task-no-progress", hangs, () => ({
        silentMs,
        silenceMs: silence,
        ageMs,
      }))
    const due = waits ? looksWhileWaiting * lookEvery : silent - silentMs
    return Math.min(due, this.#lookAtAge(track, task, ageMs))
  }
  #lookAtAge(track: Track, task: LiveTask, ageMs: number): number {
    const limits = this.#limits["task-overdue"]
    if (ageMs <= limits.age) return limits.age - ageMs
    const peers = this.#usual.taskOf(task.name, this.#judge.look)
    const limitMs = overdueLimit(task.kind, task.silence, peers, limits)
    const verdict = taskOverdue(ageMs, limitMs)
    if (track.held !== undefined || verdict === "bad")
      this.#judge.takeOf(task, track, "task-overdue", verdict, () => ({
        ageMs,
        limitMs: limitMs ?? 0,
        usualMs: peers.samples >= limits.samples ? peers.usual : 0,
        samples: peers.samples,
      }))
    return limitMs === undefined ? looksUntilKnown * lookEvery : limitMs - ageMs
  }
}
