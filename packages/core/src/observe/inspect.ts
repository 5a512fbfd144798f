import type { Registry } from "../registry/Registry.ts"
import { invalidOption } from "../errors.ts"
import type { AnySessions } from "../Sessions.ts"
import type { Task } from "../task/Task.ts"
import { factsUpTo } from "./FlightRecorder.ts"
import type { EndedTask, Gauges, Inspection, SessionChanges, Totals } from "./Inspection.ts"
import type { LiveSession } from "./Live.ts"
import { SessionView } from "./SessionView.ts"
import { endedTask } from "./endedTask.ts"
import type { TaskRecord } from "./TaskRing.ts"
import { Tracing } from "./Tracing.ts"
import { idleSince } from "./takeSnapshot.ts"

const slot: unique symbol = Symbol.for("@sojourn/core/inspection") as never
type Inspected = AnySessions & { readonly [slot]?: Inspection }
type EndListener = (task: string, ranMs: number) => void

/** Undefined: no registry of ours, or one of a version that does not know of this. */
export const inspectionOf = (sessions: AnySessions): Inspection | undefined => (sessions as Inspected)[slot]

/**
 * The option `sessions` of whoever shows registries.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const inspectionsOf = (sessions: ReadonlyArray<AnySessions>): ReadonlyArray<Inspection> => {
  if (!Array.isArray(sessions)) throw invalidOption("sessions: an array of registries is allowed.")
  return sessions.map((one: AnySessions | null | undefined) => {
    const inspection = typeof one === "object" && one !== null ? inspectionOf(one) : undefined
    if (inspection === undefined) throw invalidOption("sessions: one of them is no registry of this process.")
    return inspection
  })
}

export const makeInspectable = (sessions: AnySessions, registry: Registry): void => {
  Object.defineProperty(sessions, slot, { value: new RegistryInspection(sessions, registry) })
}

class RegistryInspection implements Inspection {
  readonly sessions: AnySessions
  readonly totals: Totals
  readonly #registry: Registry
  readonly #endListeners = new Set<EndListener>()
  constructor(sessions: AnySessions, registry: Registry) {
    this.sessions = sessions
    this.#registry = registry
    this.totals = new LiveTotals(registry)
  }
  get name(): string {
    return this.#registry.name
  }
  get limits(): Inspection["limits"] {
    return this.#registry.policy
  }
  get phase(): Inspection["phase"] {
    return this.#registry.phase
  }
  readonly now = (): number => this.#registry.epochOf(this.#registry.time.now())
  get draining(): Inspection["draining"] {
    const { draining, epochOf, phase } = this.#registry
    if (phase !== "draining") return undefined
    const { began, cutAt } = draining
    return { since: epochOf(began), cutAt: cutAt === Infinity ? undefined : epochOf(cutAt) }
  }
  get size(): number {
    return this.#registry.sessions.size
  }
  get durations(): Inspection["durations"] {
    return this.#registry.monitor
  }
  readonly tasks = (): ReturnType<Inspection["tasks"]> => this.#registry.monitor.names.all()
  readonly gauges = (): Gauges => {
    const { closing, epochOf, idle, leases, monitor, policy, seats, states } = this.#registry
    const { Backoff, Opening, Quarantined, Ready, Stopping, Waiting } = states
    const oldest = idle.first
    return {
      sessions: {
        Waiting,
        Backoff,
        Opening,
        Ready,
        Restarting: Stopping - seats.going,
        Closing: seats.going,
        Quarantined,
      },
      idle: idle.size,
      queued: monitor.queued,
      running: monitor.running,
      stopping: monitor.toldToStop,
      leases: leases.live,
      leaked: closing.leaked,
      oldestIdleSince:
        oldest === undefined
          ? undefined
          : epochOf(policy.idleTimeout === Infinity ? oldest.dueAt : oldest.dueAt - policy.idleTimeout),
    }
  }
  readonly each = (visit: (session: LiveSession) => unknown): void => {
    let view: SessionView | undefined
    for (const session of this.#registry.sessions.values()) {
      if (view === undefined) view = new SessionView(session)
      else view.session = session
      if (visit(view) === false) return
    }
  }
  readonly find = (key: string): LiveSession | undefined => {
    const session = this.#registry.sessions.get(key)
    return session === undefined ? undefined : new SessionView(session)
  }
  readonly history: Inspection["history"] = (key) => {
    const { ends, recorder, sessions } = this.#registry
    const session = sessions.get(key)
    if (session !== undefined) return recorder.history(session)
    const end = ends.get(key)
    return end === undefined ? [] : factsUpTo(end)
  }
  readonly watchChanges = (): SessionChanges => changesIn(this.#registry)
  readonly evictIdle = (most: number, idleForMs: number): number => {
    const registry = this.#registry
    const before = registry.time.now() - idleForMs
    let evicted = 0
    for (let idle = registry.longestIdle(); idle !== undefined; idle = registry.longestIdle()) {
      if (evicted >= most || idleSince(idle) > before) break
      registry.closing.begin(idle, "Evicted", "forget")
      evicted++
    }
    registry.steps.commit()
    return evicted
  }
  readonly traceWith: Inspection["traceWith"] = (tracer) => {
    const registry = this.#registry
    if (registry.tracing !== undefined) return undefined
    const own = new Tracing(registry, tracer)
    registry.tracing = own
    return () => {
      if (registry.tracing === own) registry.tracing = undefined
    }
  }
  readonly recent = (): Iterable<EndedTask> =>
    endedTasks(this.#registry, this.#registry.monitor.recent.newest())
  readonly unended = (): Iterable<EndedTask> =>
    endedTasks(this.#registry, [...this.#registry.monitor.unended.values()])
  readonly oldestTaskSince = (): number | undefined => {
    const { oldest } = this.#registry.monitor.started
    return oldest === undefined ? undefined : this.#registry.epochOf(oldest.startedAt)
  }
  readonly watchEnds: Inspection["watchEnds"] = (listener) => {
    const { events, monitor } = this.#registry
    const own: EndListener = (task, ranMs) => {
      try {
        listener(task, ranMs)
      } catch {
        events.listenerErrors++
      }
    }
    this.#endListeners.add(own)
    monitor.onEnd = this.#tellEnd
    return () => {
      this.#endListeners.delete(own)
      if (this.#endListeners.size === 0) monitor.onEnd = undefined
    }
  }
  readonly #tellEnd = (task: Task, ranMs: number): void => {
    const name = task.stats?.name ?? task.name
    for (const listener of this.#endListeners) {
      // It was captured at hand-in: a turn that had to wait begins, and so ends, in another caller's.
      if (task.carrier === undefined) listener(name, ranMs)
      else task.carrier.runInAsyncScope(listener, undefined, name, ranMs)
    }
  }
}

const changesIn = (registry: Registry): SessionChanges => {
  const list = registry.watchChanges()
  return {
    take: (visit, others = Infinity) => {
      let view: SessionView | undefined
      list.take((session, changed) => {
        if (view === undefined) view = new SessionView(session)
        else view.session = session
        visit(view, changed)
      }, others)
    },
    [Symbol.dispose]: () => list.end(),
  }
}

class LiveTotals implements Totals {
  readonly #registry: Registry
  readonly outcomes: Totals["outcomes"]
  readonly acquisitions: Totals["acquisitions"]
  readonly refusals: Totals["refusals"]
  readonly stops: Totals["stops"]
  readonly openings: Totals["openings"]
  readonly ends: Totals["ends"]
  readonly probes: Totals["probes"]
  readonly drains: Totals["drains"]
  constructor(registry: Registry) {
    const { acquisitions, drains, ends, openings, outcomes, probes, refusals, stops } = registry.monitor
    this.#registry = registry
    this.outcomes = outcomes
    this.acquisitions = acquisitions
    this.refusals = refusals
    this.stops = stops
    this.openings = openings
    this.ends = ends
    this.probes = probes
    this.drains = drains
  }
  get lost(): number {
    return this.#registry.monitor.lost
  }
  get abandoned(): number {
    return this.#registry.monitor.abandoned
  }
  get leaks(): number {
    return this.#registry.monitor.leaks
  }
  get late(): number {
    return this.#registry.monitor.late
  }
  get unobserved(): number {
    return this.#registry.monitor.unobserved
  }
  get reentrant(): number {
    return this.#registry.monitor.reentrant
  }
  get otherTasks(): number {
    return this.#registry.monitor.names.others
  }
  get defects(): number {
    return this.#registry.monitor.defects
  }
  get listenerErrors(): number {
    return this.#registry.events.listenerErrors
  }
  get droppedEvents(): number {
    return this.#registry.events.droppedEvents
  }
}

function* endedTasks(registry: Registry, records: Iterable<TaskRecord>): Generator<EndedTask> {
  for (const record of records) yield endedTask(registry, record)
}
