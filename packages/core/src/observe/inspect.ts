import type { Registry } from "../registry/Registry.ts"
import type { AnySessions } from "../Sessions.ts"
import type { Gauges, Inspection } from "./Inspection.ts"

const slot: unique symbol = Symbol.for("@sojourn/core/inspection") as never
type Inspected = AnySessions & { readonly [slot]?: Inspection }

/** Undefined: no registry of ours, or one of a version that does not know of this. */
export const inspectionOf = (sessions: AnySessions): Inspection | undefined => (sessions as Inspected)[slot]

export const makeInspectable = (sessions: AnySessions, registry: Registry): void => {
  Object.defineProperty(sessions, slot, { value: new RegistryInspection(sessions, registry) })
}

class RegistryInspection implements Inspection {
  readonly sessions: AnySessions
  readonly #registry: Registry
  constructor(sessions: AnySessions, registry: Registry) {
    this.sessions = sessions
    this.#registry = registry
  }
  get name(): string {
    return this.#registry.name
  }
  get limits(): Inspection["limits"] {
    return this.#registry.policy
  }
  get totals(): Inspection["totals"] {
    const { events, monitor } = this.#registry
    const { abandoned, acquisitions, defects, ends, late, leaks, lost, openings, outcomes, probes } = monitor
    const { refusals, stops } = monitor
    const { droppedEvents, listenerErrors } = events
    return {
      abandoned,
      acquisitions,
      defects,
      droppedEvents,
      ends,
      late,
      leaks,
      listenerErrors,
      lost,
      openings,
      outcomes,
      probes,
      refusals,
      stops,
    }
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
  readonly oldestTaskSince = (): number | undefined => {
    let oldest = Infinity
    for (const { generation } of this.#registry.sessions.values()) {
      for (let task = generation?.running?.first; task !== undefined; task = task.behind)
        if (task.startedAt < oldest) oldest = task.startedAt
    }
    return oldest === Infinity ? undefined : this.#registry.epochOf(oldest)
  }
}
