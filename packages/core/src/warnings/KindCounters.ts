/** What is told of a kind by the counters of its registry. */
import type { Inspection, Totals } from "../observe/Inspection.ts"
import type { LiveSession } from "../observe/Live.ts"
import { closeWithin } from "../registry/process.ts"
import type { Judge, Subject } from "./Judge.ts"
import { Lately } from "./Lately.ts"
import {
  capacity,
  drainStuck,
  idleNotEvicted,
  keySuspect,
  orphanTask,
  quantileOf,
  queueWait,
  reuseLow,
  unobservedFailure,
  waitBounds,
} from "./rules/kinds.ts"
import { quarterOf, type AllLimits } from "./thresholds.ts"

const minute = 60_000
/** Refusals for want of a place. */
const refusedForPlace = ({ refusals }: Totals): number =>
  refusals.MaxSessions + refusals.MaxPerOwner + refusals.MaxHeap + refusals.MaxLeaked

const looksBetweenWaits = 5
/** So many keys are told apart, until a window has passed. */
const mostKeys = 2048
const hashOf = (key: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

export class KindCounters implements Subject {
  held: Subject["held"] = undefined
  readonly #inspection: Inspection
  readonly #judge: Judge
  readonly #waits = new Lately()
  #waited = { wait: 0, run: 0, samples: 0 }
  readonly #uses = new Lately()
  readonly #openings = new Lately()
  readonly #failures = new Lately()
  readonly #refused = new Lately()
  /** Keys seen while most uses open a session. */
  #keys: { readonly distinct: Set<number>; seen: number; looks: number } | undefined

  constructor(inspection: Inspection, judge: Judge) {
    this.#inspection = inspection
    this.#judge = judge
    this.#waits.begin(this.#readWaits())
    this.#uses.begin(this.#readUses())
    this.#openings.begin(this.#readUses())
    this.#failures.begin([inspection.totals.unobserved])
    this.#refused.begin([refusedForPlace(inspection.totals)])
  }
  ref(): undefined {
    return undefined
  }

  /** A session that changed since `since`. */
  visit(session: LiveSession, since: number): void {
    const keys = this.#keys
    if (keys === undefined || keys.distinct.size >= mostKeys) return
    // Each life once.
    if (session.openedAt === undefined || session.openedAt < since) return
    keys.seen++
    keys.distinct.add(hashOf(session.key))
  }

  look(): void {
    this.#lookAtWaits()
    this.#lookAtUses()
    this.#lookAtPlaces()
    this.#lookAtWorkLeft()
    this.#lookAtDrain()
  }
  end(): void {
    this.#judge.dropAll(this)
  }
  get #limits(): AllLimits {
    return this.#judge.settings.limits
  }

  /** Buckets and count of the waits, then of the runs. */
  #readWaits(): ReadonlyArray<number> {
    const { runs, waits } = this.#inspection.durations
    return [...waits.upTo(waitBounds), waits.count, ...runs.upTo(waitBounds), runs.count]
  }
  #lookAtWaits(): void {
    const limits = this.#limits["queue-wait"]
    // Walking two histograms is most of what a look at a quiet kind costs.
    if (this.#judge.look % looksBetweenWaits === 0) {
      const most = waitBounds.length
      const perQuarter = Math.max(1, Math.round(quarterOf(limits.window) / looksBetweenWaits))
      const counts = this.#waits.look(this.#readWaits(), perQuarter)
      const samples = counts[most] ?? 0
      const wait = quantileOf(counts.slice(0, most), samples, 0.95)
      const run = quantileOf(counts.slice(most + 1, -1), counts.at(-1) ?? 0, 0.95)
      this.#waited = { wait, run, samples }
    }
    const { run, samples, wait } = this.#waited
    const verdict = queueWait(this.#waited, limits)
    if (this.#judge.matters(this, "queue-wait", verdict))
      this.#judge.take(this, "queue-wait", verdict, () => ({ waitMs: wait, runMs: run, samples }))
  }

  /** All, and those that had to open a session. */
  #readUses(): readonly [number, number] {
    const { hit, joined, miss } = this.#inspection.totals.acquisitions
    return [hit + joined + miss, miss]
  }
  #lookAtUses(): void {
    const counters = this.#readUses()
    const low = this.#limits["reuse-low"]
    const [uses = 0, misses = 0] = this.#uses.look(counters, quarterOf(low.window))
    const reused = uses - misses
    this.#judge.take(this, "reuse-low", reuseLow({ uses, reused }, low), () => ({
      uses,
      reused,
      share: uses === 0 ? 0 : reused / uses,
    }))
    const suspect = this.#limits["key-suspect"]
    const [all = 0, opened = 0] = this.#openings.look(counters, quarterOf(suspect.window))
    this.#countKeys(opened > all * suspect.share, suspect.window)
    const keys = this.#keys?.seen ?? 0
    const distinct = this.#keys?.distinct.size ?? 0
    const reading = { uses: all, opened, keys, distinct }
    this.#judge.take(this, "key-suspect", keySuspect(reading, suspect), () => reading)
  }
  /** Where keys are used again there is nothing to count. */
  #countKeys(isSuspect: boolean, window: number): void {
    if (!isSuspect) this.#keys = undefined
    else if (this.#keys === undefined) this.#keys = { distinct: new Set(), seen: 0, looks: 0 }
    else if (++this.#keys.looks >= quarterOf(window) * 4)
      // Half of it stays, or nothing could be said for a while.
      this.#keys = {
        distinct: new Set([...this.#keys.distinct].slice(-this.#keys.distinct.size / 2)),
        seen: Math.ceil(this.#keys.seen / 2),
        looks: 0,
      }
  }

  #lookAtPlaces(): void {
    const { idleTimeout, maxSessions } = this.#inspection.limits
    const { idle, oldestIdleSince, sessions } = this.#inspection.gauges()
    const { Backoff, Closing, Opening, Ready, Restarting } = sessions
    const held = Backoff + Opening + Ready + Restarting + Closing - idle
    const [refused = 0] = this.#refused.look([refusedForPlace(this.#inspection.totals)], quarterOf(minute))
    const verdict = capacity({ held, maxSessions, refused }, this.#limits.capacity)
    this.#judge.take(this, "capacity", verdict, () => ({
      held,
      idle,
      maxSessions: maxSessions === Infinity ? -1 : maxSessions,
      refused,
    }))
    const idleMs = oldestIdleSince === undefined ? 0 : this.#inspection.now() - oldestIdleSince
    const late = idleNotEvicted(idleMs, idleTimeout, this.#limits["idle-not-evicted"])
    this.#judge.take(this, "idle-not-evicted", late, () => ({ idleMs, idleTimeoutMs: idleTimeout, idle }))
  }

  #lookAtWorkLeft(): void {
    const { abandoned, late, unobserved } = this.#inspection.totals
    const { leaked } = this.#inspection.gauges()
    const tasks = abandoned - late
    this.#judge.take(this, "orphan-task", orphanTask(tasks, leaked), () => ({ tasks, generations: leaked }))
    const limits = this.#limits["unobserved-failure"]
    const [failures = 0] = this.#failures.look([unobserved], quarterOf(limits.window))
    this.#judge.take(this, "unobserved-failure", unobservedFailure(failures, limits), () => ({
      failures,
      total: unobserved,
    }))
  }

  #lookAtDrain(): void {
    const { draining, now, sessions } = this.#inspection
    const elapsed = draining === undefined ? undefined : now() - draining.since
    const end = draining?.cutAt
    const allowed =
      draining === undefined || end === undefined
        ? Infinity
        : end - draining.since + (closeWithin(sessions) ?? Infinity)
    const verdict = drainStuck(elapsed, allowed, this.#limits["drain-stuck"])
    this.#judge.take(this, "drain-stuck", verdict, () => {
      const { running, sessions: states } = this.#inspection.gauges()
      const left = Object.values(states).reduce((sum, count) => sum + count, 0)
      return { elapsedMs: elapsed ?? 0, allowedMs: allowed, sessions: left, running }
    })
  }
}
