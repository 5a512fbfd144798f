/** Those who wait: leaving their list, and what it means for a session that the last one has left (L1, L8). */
import type { Registry } from "../registry/Registry.ts"
import type { Session } from "../session/Session.ts"
import type { Task } from "./Task.ts"

export class Waiters {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  leave(task: Task): void {
    const { session } = task
    if (task.state !== "queued" || session === undefined) return
    const list = task.beside ? session.arrivals : session.queue
    // A task that is refused at the door is in no list yet.
    if (list === undefined || (task.before === undefined && list.first !== task)) return
    list.remove(task)
    if (task.kind !== "lease") this.#registry.monitor.queued--
    if (list.size === 0) {
      if (task.beside) session.arrivals = undefined
      else session.queue = undefined
    }
  }

  /** The last waiter left: an open that nobody waits for is told to stop (L1), an idle session's clock starts (L8). */
  left(session: Session): void {
    const registry = this.#registry
    registry.hangs.need(session)
    if (session.waiting > 0) return
    switch (session.state) {
      case "Opening":
        if (session.cold?.eager !== true) registry.opening.giveUp(session, "OpenCancelled")
        return
      case "Waiting":
        registry.seats.leave(session)
        return this.rest(session)
      case "Backoff":
        if (session.cold?.eager === true) return
        return this.stopBackingOff(session)
      case "Ready":
        return registry.turns.pump(session)
      case "Dormant":
      case "Quarantined":
      case "Stopping":
    }
  }

  /** Everyone who waits is told. `keep` says who is not. */
  refuseAll(session: Session, refuse: (task: Task) => void, keep?: (task: Task) => boolean): void {
    for (const list of [session.queue, session.arrivals]) {
      for (const task of list ?? []) if (keep?.(task) !== true) refuse(task)
    }
  }

  /** The next open is not wanted any more. */
  stopBackingOff(session: Session): void {
    this.#registry.timetable.drop(session.cold?.backoff)
    this.rest(session)
  }

  /** Nobody waits and nothing is open: the seat goes back. */
  rest(session: Session): void {
    const registry = this.#registry
    const cold = session.cold
    const quarantined = cold?.trial === true && cold.until > 0
    if (session.state === "Backoff") registry.opening.backingOff--
    registry.seats.leave(session)
    registry.breaker.givenUp(session)
    registry.setState(session, quarantined ? "Quarantined" : "Dormant")
    registry.seats.release(session)
    registry.steps.dirty = true
    registry.tidy(session)
  }
}
