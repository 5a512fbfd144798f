/** Leases (L8): they pin their generation, take no slot, and end with it, by silence, or by their age. */
import { SessionRefused } from "../errors.ts"
import type { LeaseInfo } from "../observe/Explanation.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Generation } from "../session/Generation.ts"
import { Timed } from "../time/Timetable.ts"
import type { Task } from "./Task.ts"

const longestLease = 24 * 60 * 60_000

export type LeaseEnd = "released" | "expired" | "revoked"

export class Lease extends Timed {
  readonly generation: Generation
  readonly name: string
  readonly since: number
  readonly silence: number
  progressAt: number
  stallMark: number
  /** Turns of this lease that are queued or run: its silence stands still. */
  turns = 0
  ended: LeaseEnd | undefined = undefined
  /** Its holder knows: it has ended, or the registry drains and it will. */
  told = false
  /** Told once each, after the step in which it ended, or in which it was known to. */
  onEnd: Array<() => void> | undefined = undefined
  longest: Timed | undefined = undefined

  constructor(generation: Generation, name: string, silence: number, now: number, stallMark: number) {
    super()
    this.generation = generation
    this.name = name
    this.silence = silence
    this.since = now
    this.progressAt = now
    this.stallMark = stallMark
  }
  due(now: number): void {
    this.generation.session.registry.leases.silenceDue(this, now)
  }
}

export class Leases {
  readonly #registry: Registry
  watched = 0
  live = 0
  constructor(registry: Registry) {
    this.#registry = registry
  }

  grant(task: Task, generation: Generation, now: number): void {
    const registry = this.#registry
    const lease = new Lease(generation, task.name, task.silence, now, registry.loopTime.mark(now))
    ;(generation.more.leases ??= new Set()).add(lease)
    generation.inUse++
    this.live++
    this.#watch(lease, lease.silence, now)
    lease.longest = registry.timetable.at("lease", longestLease, () => this.end(lease, "expired"))
    task.generation = generation
    task.startedAt = now
    registry.answers.tell(task, "succeeded", lease)
    if (registry.events.watched) registry.events.lease("LeaseTaken", lease)
    if (registry.phase !== "accepting") this.tell(lease)
  }
  /** A turn or stream of it is queued or runs: it cannot fall silent until that has ended. */
  serve(lease: Lease, task: Task): void {
    lease.turns++
    task.more.lease = lease
  }
  served(task: Task): void {
    const lease = task.extras?.lease
    if (lease === undefined) return
    task.more.lease = undefined
    lease.turns--
    this.progress(lease)
  }
  #watch(lease: Lease, silence: number, now: number): void {
    if (silence === Infinity) return
    this.#registry.timetable.list("lease", silence).add(lease, now)
    this.watched++
    this.#registry.loopTime.watch(now, silence)
  }
  progress(lease: Lease): void {
    lease.progressAt = this.#registry.time.now()
    lease.stallMark = this.#registry.loopTime.mark(lease.progressAt)
  }
  silenceDue(lease: Lease, now: number): void {
    const { loopTime } = this.#registry
    this.watched--
    if (lease.ended !== undefined) return
    loopTime.catchUp(now)
    if (lease.turns > 0) this.progress(lease)
    const silent = now - lease.progressAt - (loopTime.stalled - lease.stallMark)
    if (silent < lease.silence) return this.#watch(lease, lease.silence - silent, now)
    this.end(lease, "expired")
  }
  end(lease: Lease, how: LeaseEnd): void {
    const registry = this.#registry
    if (lease.ended !== undefined) return
    const { generation } = lease
    lease.ended = how
    if (lease.list !== undefined) {
      lease.list.remove(lease)
      this.watched--
    }
    registry.timetable.drop(lease.longest)
    generation.more.leases?.delete(lease)
    generation.inUse--
    this.live--
    this.tell(lease)
    if (registry.events.watched)
      registry.events.lease(how === "expired" ? "LeaseExpired" : "LeaseReleased", lease)
    this.#registry.recycling.leaseEnded(generation)
    // Work that waited for this lease's generation is the lease's own: it has nowhere to go.
    if (generation.phase === "live") registry.turns.pump(generation.session)
    // Only its holder ends it from outside; the other ends are part of a larger step (L20).
    if (how === "released") registry.steps.commit()
  }
  /** Its holder is told that it ends, or, while the registry drains, that it will: until the cut it can still be used. */
  tell(lease: Lease): void {
    lease.told = true
    for (const onEnd of lease.onEnd ?? []) this.#registry.steps.after(onEnd)
    lease.onEnd = undefined
  }
  info(lease: Lease): LeaseInfo {
    const { epochOf } = this.#registry
    const silent = lease.silence === Infinity ? Infinity : lease.progressAt + lease.silence
    return {
      kind: "lease",
      name: lease.name,
      since: epochOf(lease.since),
      progressAt: epochOf(lease.progressAt),
      expiresAt: epochOf(Math.min(silent, lease.since + longestLease)),
    }
  }
  ended(lease: Lease): SessionRefused {
    const { session } = lease.generation
    return new SessionRefused({
      reason: lease.ended === undefined ? "Draining" : "LeaseEnded",
      session: lease.generation.ref,
      explain: this.#registry.answers.explainLater(session),
    })
  }
}
