import type { SessionRef } from "../SessionKey.ts"
import type { Session } from "../session/Session.ts"
import type { Explanation, SessionState } from "./Explanation.ts"
import { publicState } from "./explain.ts"
import type { LiveLease, LiveSession, LiveTask } from "./Live.ts"
import { idleSince } from "./takeSnapshot.ts"
import { TaskView } from "./TaskView.ts"

/** A window onto a session; moved from one to the next while all are visited. */
export class SessionView implements LiveSession {
  session: Session
  constructor(session: Session) {
    this.session = session
  }
  get ref(): SessionRef {
    return this.session.ref
  }
  get key(): string {
    return this.session.key
  }
  get id(): string {
    return this.session.id
  }
  get owner(): string | undefined {
    return this.session.owner
  }
  get state(): SessionState {
    return publicState(this.session)
  }
  get generation(): number {
    return this.session.generation?.number ?? this.session.generations
  }
  get openedAt(): number | undefined {
    const { generation, registry } = this.session
    return generation?.phase === "live" ? registry.epochOf(generation.since) : undefined
  }
  get openingSince(): number | undefined {
    const { generation, registry, state } = this.session
    return state === "Opening" && generation !== undefined ? registry.epochOf(generation.since) : undefined
  }
  get closingSince(): number | undefined {
    const { generation, registry, state } = this.session
    const since = state === "Stopping" ? generation?.cold?.closingSince : undefined
    // 0: an opening that was told to stop and has not ended; only then it is closed.
    return since === undefined || since === 0 ? undefined : registry.epochOf(since)
  }
  get isIdle(): boolean {
    return this.session.idle
  }
  get idleSince(): number | undefined {
    const { session } = this
    return session.idle ? session.registry.epochOf(idleSince(session)) : undefined
  }
  get closesAt(): number | undefined {
    const { session } = this
    const { registry } = session
    return session.idle && registry.policy.idleTimeout !== Infinity
      ? registry.epochOf(session.dueAt)
      : undefined
  }
  get running(): number {
    return this.session.generation?.running?.size ?? 0
  }
  get queued(): number {
    return this.session.waiting
  }
  get leases(): number {
    return this.session.generation?.cold?.leases?.size ?? 0
  }
  get turns(): number {
    return this.session.generation?.turns ?? 0
  }
  get oldestTaskAt(): number | undefined {
    const { arrivals, generation, queue, registry } = this.session
    let oldest = Infinity
    // Each line is in the order of hand-in, but what runs is in the order of starts.
    for (let task = generation?.running?.first; task !== undefined; task = task.behind)
      if (task.queuedAt < oldest) oldest = task.queuedAt
    for (const list of [arrivals, queue])
      if (list?.first !== undefined && list.first.queuedAt < oldest) oldest = list.first.queuedAt
    return oldest === Infinity ? undefined : registry.epochOf(oldest)
  }
  get losses(): number {
    const { cold, registry } = this.session
    if (cold === undefined || cold.failures.length === 0) return 0
    const from = registry.time.now() - registry.policy.restart.within
    return cold.failures.filter((at) => at >= from).length
  }
  get failedOpens(): number {
    return this.session.cold?.attempt ?? 0
  }
  get retryAt(): number | undefined {
    const { cold, registry, state } = this.session
    if (cold === undefined) return undefined
    const at = Math.max(cold.retryAt, state === "Quarantined" ? cold.until : 0)
    return at > registry.time.now() ? registry.epochOf(at) : undefined
  }
  get lastError(): Explanation["errors"][number] | undefined {
    return this.session.cold?.errors.at(-1)
  }
  get endedAt(): number | undefined {
    const { key, registry } = this.session
    return registry.ends.get(key)?.at
  }
  get abandoned(): number {
    return this.session.generation?.cold?.abandoned ?? 0
  }
  readonly held = (): Iterable<LiveLease> => leasesOf(this.session)
  readonly tasks = (): Iterable<LiveTask> => tasksOf(this.session)
  readonly task = (id: string): LiveTask | undefined => {
    for (const task of tasksOf(this.session)) if (task.id === id) return task
    return undefined
  }
  readonly keep = (): LiveSession => new SessionView(this.session)
}

function* tasksOf({ arrivals, generation, queue }: Session): Generator<LiveTask> {
  for (const list of [generation?.running, arrivals, queue])
    for (const task of list ?? []) yield new TaskView(task, viewOf)
}
const viewOf = (session: Session): LiveSession => new SessionView(session)

function* leasesOf({ generation, registry }: Session): Generator<LiveLease> {
  for (const lease of generation?.cold?.leases ?? [])
    yield {
      name: lease.name,
      since: registry.epochOf(lease.since),
      progressAt: registry.epochOf(lease.progressAt),
      silence: lease.silence,
      inUse: lease.turns > 0,
    }
}
