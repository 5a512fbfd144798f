import type { Registry } from "../registry/Registry.ts"
import type { AnySessions } from "../Sessions.ts"
import type { EndedTask, Gauges, Inspection, Totals } from "./Inspection.ts"
import type { LiveSession } from "./Live.ts"
import { SessionView } from "./SessionView.ts"

const slot: unique symbol = Symbol.for("@sojourn/core/inspection") as never
type Inspected = AnySessions & { readonly [slot]?: Inspection }

/** Undefined: no registry of ours, or one of a version that does not know of this. */
export const inspectionOf = (sessions: AnySessions): Inspection | undefined => (sessions as Inspected)[slot]

export const makeInspectable = (sessions: AnySessions, registry: Registry): void => {
  Object.defineProperty(sessions, slot, { value: new RegistryInspection(sessions, registry) })
}

class RegistryInspection implements Inspection {
  readonly sessions: AnySessions
  readonly totals: Totals
  readonly #registry: Registry
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
  readonly recent = (): Iterable<EndedTask> => recentOf(this.#registry)
  readonly oldestTaskSince = (): number | undefined => {
    let oldest = Infinity
    for (const { generation } of this.#registry.sessions.values()) {
      for (let task = generation?.running?.first; task !== undefined; task = task.behind)
        if (task.startedAt < oldest) oldest = task.startedAt
    }
    return oldest === Infinity ? undefined : this.#registry.epochOf(oldest)
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
  constructor(registry: Registry) {
    const { acquisitions, ends, openings, outcomes, probes, refusals, stops } = registry.monitor
    this.#registry = registry
    this.outcomes = outcomes
    this.acquisitions = acquisitions
    this.refusals = refusals
    this.stops = stops
    this.openings = openings
    this.ends = ends
    this.probes = probes
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

function* recentOf(registry: Registry): Generator<EndedTask> {
  for (const { endedAt, key, name, number, outcome, queuedAt, startedAt } of registry.monitor.recent.newest())
    yield {
      id: `t${number}`,
      key,
      name,
      outcome,
      queuedAt: registry.epochOf(queuedAt),
      startedAt: Number.isNaN(startedAt) ? undefined : registry.epochOf(startedAt),
      endedAt: registry.epochOf(endedAt),
    }
}
