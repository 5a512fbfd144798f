/** The one way in (L2): every run, stream, call and lease request passes here, in one step. Order as in semantics 3a. */
import { captureCarrier, currentFrame } from "../context.ts"
import { SessionMisuse, SessionOpenFailed } from "../errors.ts"
import { quarantineFor } from "../session/restartPolicy.ts"
import type { Call } from "../options.ts"
import { resolveKey, type ResolvedKey, type SessionKey } from "../SessionKey.ts"
import type { CallerSignal } from "../SessionOptions.ts"
import type { Acquisition } from "../observe/Inspection.ts"
import type { LifeState, Session } from "../session/Session.ts"
import { activeChain, type Frame } from "../task/Frame.ts"
import type { Lease } from "../task/Leases.ts"
import { reentry } from "../task/reentry.ts"
import { TaskList, type Task } from "../task/Task.ts"
import { decideTurn } from "./admission.ts"
import type { Registry } from "./Registry.ts"

export class HandIn {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** The outcome arrives by `task.deliver`, at once or later. `lease`: only on its generation. */
  take(task: Task, key: SessionKey | ResolvedKey, call: Call, lease?: Lease): void {
    const registry = this.#registry
    if (registry.tracing !== undefined) registry.tracing.task(task, key)
    try {
      this.#step(task, key, call, lease)
    } catch (error) {
      registry.waiters.leave(task)
      registry.answers.tell(
        task,
        "rejected",
        error instanceof SessionMisuse ? error : registry.defect(error, task.session),
      )
    }
    registry.steps.commit()
    const signal = task.unheard
    // Not before: for what has ended by now nobody need listen.
    if (signal !== undefined && task.outcome === undefined) this.#listen(task, signal)
  }

  #step(task: Task, key: SessionKey | ResolvedKey, call: Call, lease: Lease | undefined): void {
    const registry = this.#registry
    const bound = lease?.generation
    const now = registry.time.now()
    task.queuedAt = now
    task.silence = call.silence
    if (call.signal?.aborted === true) {
      if (lease === undefined) resolveKey(key)
      return registry.answers.tell(task, "cancelled", call.signal.reason)
    }
    const frame = call.detach ? undefined : currentFrame()
    const nested = frame?.session !== undefined
    if (registry.phase !== "accepting" && !this.#stillServed(frame, lease))
      return this.#refuseUnseen(task, key, "Draining")
    if (lease !== undefined) {
      task.session = lease.generation.session
      if (lease.ended !== undefined || lease.generation.phase !== "live")
        return registry.answers.refuse(task, "LeaseEnded")
      registry.leases.serve(lease, task)
    }
    const session = bound?.session ?? this.#locate(key, call.mustExist)
    if (session === undefined) return this.#refuseUnseen(task, key, "NotFound")
    task.session = session
    registry.changed(session)
    task.bound = bound
    if (session.cold !== undefined && this.#heldBack(task, session, now)) return registry.tidy(session)
    if (call.mustExist && !isLive(session)) {
      registry.answers.refuse(task, "NotFound")
      return registry.tidy(session)
    }
    if (registry.breaker.isOpen && this.#isOutage(task, session, now)) return registry.tidy(session)
    const verdict = nested ? reentry(session, frame, task) : "clear"
    if (verdict === "deadlock") {
      registry.answers.misuse(task, "ReentrantRun")
      return registry.tidy(session)
    }
    const canStart = verdict === "direct" || this.#canStart(task, session, now)
    if (!canStart && !task.beside && !this.#admit(task, session, call)) return registry.tidy(session)
    if (nested) {
      task.parent = frame
      ;(frame.calls ??= new Set()).add(task)
    }
    // `detach` begins a chain of its own, but the context is still its caller's.
    task.carrier ??= captureCarrier()
    registry.monitor.acquisitions[howAcquired(session.state)]++
    if (call.idempotent) task.more.idempotent = true
    if (call.signal !== undefined) task.unheard = call.signal
    if (call.timeout !== Infinity)
      task.more.timeout = registry.timetable.at("caller", call.timeout, () =>
        registry.stops.stopForCaller(task, "Timeout"),
      )
    if (canStart) registry.turns.start(session, task, now)
    else this.#wait(task, session, now)
  }

  /** The map is looked up by the raw key: only a session whose canonical key is that very text may be found so. */
  #locate(key: SessionKey | ResolvedKey, mustExist: boolean): Session | undefined {
    const registry = this.#registry
    if (typeof key === "string") {
      const session = registry.sessions.get(key)
      if (session?.plain === true) return session
    }
    const resolved = resolveKey(key)
    return mustExist ? registry.find(resolved) : registry.findOrMake(resolved)
  }

  /** While draining, calls nested in admitted work, and those of a lease, are still served until the cut (L14). */
  #stillServed(frame: Frame | undefined, lease: Lease | undefined): boolean {
    const { draining, phase } = this.#registry
    if (phase !== "draining" || draining.cut) return false
    return lease !== undefined || activeChain(frame).some((link) => link.kind !== "finalizer")
  }

  /** Quarantine and back-off: `true` when the task was told so. */
  #heldBack(task: Task, session: Session, now: number): boolean {
    const { answers, policy } = this.#registry
    const { cold, state } = session
    if (cold === undefined) return false
    if (state === "Quarantined" && now < cold.until) {
      answers.refuse(task, "Quarantined", Math.ceil(cold.until - now))
      return true
    }
    if (state === "Stopping" && session.next === "quarantine") {
      answers.refuse(task, "Quarantined", quarantineFor(policy.restart, cold.coolDowns))
      return true
    }
    const wait = cold.retryAt - now
    if (wait > policy.timeouts.seat && (state === "Dormant" || state === "Backoff" || state === "Stopping")) {
      answers.openFailed(
        task,
        new SessionOpenFailed({
          reason: "Failed",
          cause: cold.lastError,
          session: session.ref,
          retryAfter: Math.ceil(wait),
          explain: answers.explainLater(session),
        }),
      )
      return true
    }
    return false
  }
  /** Told before it joins a line, so that nobody is evicted for an opening that would be refused. */
  #isOutage(task: Task, session: Session, now: number): boolean {
    const { answers, breaker, opening } = this.#registry
    if (session.state !== "Dormant" && session.state !== "Quarantined") return false
    const refusal = breaker.refusal(session, now)
    if (refusal === undefined) {
      breaker.tries(session)
      return false
    }
    answers.openFailed(task, opening.outageError(session, refusal))
    return true
  }

  #admit(task: Task, session: Session, call: Call): boolean {
    const { answers, monitor, policy, stops } = this.#registry
    const generation = session.state === "Ready" ? session.generation : undefined
    const decision = decideTurn({
      whenBusy: call.whenBusy,
      concurrency: policy.concurrency,
      maxQueued: policy.maxQueued,
      taken: generation === undefined ? 0 : generation.slotsTaken + generation.slotsLost,
      queued: session.queue?.size ?? 0,
      serving: generation !== undefined && generation.cold?.barrier === undefined,
    })
    if (decision === "Busy" || decision === "MaxQueued") {
      const ahead = decision === "Busy" ? 1 : (session.queue?.size ?? 1)
      answers.refuse(task, decision, monitor.turnsRetryAfter(ahead, policy.concurrency))
      return false
    }
    if (decision === "replace") stops.replace(session)
    return true
  }

  #canStart(task: Task, session: Session, now: number): boolean {
    const generation = session.generation
    if (session.state !== "Ready" || generation === undefined) return false
    const { cold } = generation
    if (cold !== undefined) {
      if (cold.barrier !== undefined) return false
      if (cold.probe !== undefined && task.kind !== "lease") {
        this.#registry.probes.look(generation, cold.probe, now, true)
        if (this.#registry.probes.holds(generation, cold.probe, now)) return false
      }
    }
    if (task.beside) return true
    return (
      (session.queue === undefined || session.queue.size === 0) &&
      generation.slotsTaken + generation.slotsLost < this.#registry.policy.concurrency
    )
  }

  #wait(task: Task, session: Session, now: number): void {
    const registry = this.#registry
    if (task.beside) (session.arrivals ??= new TaskList()).push(task)
    else (session.queue ??= new TaskList()).push(task)
    if (task.kind !== "lease") registry.monitor.queued++
    const how = howAcquired(session.state)
    if (how !== "hit") task.more.awaits = how
    if (registry.policy.timeouts.queue !== Infinity) {
      registry.timetable.list("queue", registry.policy.timeouts.queue).add(task, now)
    }
    if (registry.events.watched) registry.events.task("TaskQueued", task)
    switch (session.state) {
      case "Quarantined":
        session.more.trial = true
        return registry.seats.join(session)
      case "Dormant":
        return registry.seats.join(session)
      case "Waiting":
        return registry.seats.limit(task)
      case "Ready":
        // It is waited for, so it is not idle; and those told to stop are now in somebody's way.
        if (session.list !== undefined) session.list.remove(session)
        return registry.hangs.need(session)
      case "Backoff":
      case "Opening":
      case "Stopping":
    }
  }

  #listen(task: Task, signal: CallerSignal): void {
    const { steps, stops } = this.#registry
    task.unheard = undefined
    const onAbort = (): void => {
      stops.leave(task, "cancelled", signal.reason)
      steps.commit()
    }
    // By what the step has begun.
    if (signal.aborted) return onAbort()
    signal.addEventListener("abort", onAbort, { once: true })
    task.more.unlisten = () => signal.removeEventListener("abort", onAbort)
  }

  #refuseUnseen(task: Task, key: SessionKey | ResolvedKey, reason: "Draining" | "NotFound"): void {
    const registry = this.#registry
    const resolved = resolveKey(key)
    const session = registry.find(resolved)
    registry.answers.refuse(task, reason, undefined, session ?? resolved)
  }
}

const howAcquired = (state: LifeState): Acquisition =>
  state === "Ready" ? "hit" : state === "Dormant" || state === "Quarantined" ? "miss" : "joined"

/** Somebody may be served without a new opening being decided: it opens, serves, or is being replaced. */
const isLive = (session: Session): boolean =>
  session.state === "Opening" ||
  session.state === "Ready" ||
  (session.state === "Stopping" && session.next === "reopen")
