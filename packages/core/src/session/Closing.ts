/**
 * Ending a generation (L3, L4): its turns are told to stop and get their grace, its state is saved, its finalizers run in
 * reverse order, each under a deadline; what has not ended at the last deadline is abandoned and the key goes on.
 */
import { currentFrame, runClean } from "../context.ts"
import type { TaskStoppedReason } from "../errors.ts"
import type { CloseReason, CloseReport } from "../Sessions.ts"
import type { Task } from "../task/Task.ts"
import { closeEnded } from "../observe/Tracing.ts"
import type { Registry } from "../registry/Registry.ts"
import { Frame, isInside } from "../task/Frame.ts"
import type { Barrier, Finalizer, Generation } from "./Generation.ts"
import { afterGone, joinClose } from "./lifecycle.ts"
import { isOver } from "./ownership.ts"
import { quarantineFor } from "./restartPolicy.ts"
import { abortSignal } from "./signal.ts"
import type { Next, Session } from "./Session.ts"

const tellAfter = async (forgotten: Promise<void>, done: (report: undefined) => void): Promise<void> => {
  await forgotten
  done(undefined)
}

/** Why its tasks are stopped, in their words. */
const cutBy: Readonly<Record<CloseReason, TaskStoppedReason>> = {
  Idle: "Closed",
  Evicted: "Closed",
  Recycled: "Restarted",
  Requested: "Closed",
  Restarted: "Restarted",
  Ended: "Closed",
  Drained: "Drained",
  Broken: "Broken",
  RestartLimit: "Broken",
  OpenFailed: "Closed",
  OpenCancelled: "Closed",
  Unresponsive: "Broken",
}
/** Ends after which the next life may go on from what was saved. */
const orderly: ReadonlySet<CloseReason> = new Set(["Idle", "Evicted", "Recycled", "Restarted", "Drained"])
const forgetting: ReadonlySet<CloseReason> = new Set(["Requested", "Ended"])

/** What was asked to be closed, or has ended, stays so through a later wish to replace or to evict it. */
const joined = (
  before: Barrier | undefined,
  reason: CloseReason,
  next: Next,
): { reason: CloseReason; next: Next } =>
  before === undefined
    ? { reason, next }
    : {
        reason:
          forgetting.has(before.reason) && reason !== "Requested" && !isLoss(reason) ? before.reason : reason,
        next: before.next === "forget" && next === "reopen" ? "forget" : next,
      }
const isLoss = (reason: CloseReason): boolean => reason === "Broken" || reason === "Unresponsive"

export class Closing {
  readonly #registry: Registry
  /** Generations that are not gone. */
  inService = 0
  /** Abandoned and not ended yet. */
  leaked = 0
  /** Of these, the ones whose keys stay shut until then. */
  shut = 0
  constructor(registry: Registry) {
    this.#registry = registry
  }

  // ── what may ask for it ──

  /** `close(key)`: all that was handed in before is told; what comes after opens afresh. */
  request(session: Session, finishWithin: number, done: (report: CloseReport | undefined) => void): void {
    const registry = this.#registry
    const refuse = (): void =>
      registry.waiters.refuseAll(session, (task) => registry.answers.refuse(task, "Closed"))
    const nothingLive = (): void => {
      const forgotten = registry.saving.forget(session.key)
      if (forgotten === undefined) done(undefined)
      else void tellAfter(forgotten, done)
    }
    switch (session.state) {
      case "Dormant":
      case "Quarantined":
        registry.steps.after(nothingLive)
        break
      case "Waiting":
      case "Backoff":
        refuse()
        // Eagerly rebuilt, it would open for nobody after it was closed.
        if (session.state === "Backoff") registry.waiters.stopBackingOff(session)
        registry.steps.after(nothingLive)
        break
      case "Opening":
        session.more.closers.push(done)
        this.#forgetSaved(session)
        // First the close, then the refusals: otherwise the last waiter leaving would be the reason.
        registry.opening.giveUp(session, "Requested")
        refuse()
        break
      case "Ready":
        session.more.closers.push(done)
        this.#forgetSaved(session)
        refuse()
        if (session.generation !== undefined)
          this.barrier(session.generation, "Requested", "forget", finishWithin)
        break
      case "Stopping":
        this.#whenGone(session, done)
        this.#forgetSaved(session)
        refuse()
        this.join(session)
        break
    }
    registry.steps.commit()
  }
  /** What was saved goes; as a part of the close, unless that has come further already. */
  #forgetSaved(session: Session): void {
    const { generation } = session
    if (generation !== undefined) generation.more.forgets = true
    if (generation === undefined || isOver(generation))
      this.#registry.steps.after(() => void this.#registry.saving.forget(session.key))
  }

  /** `restart(key)`: replaces the generation; what waits moves on. */
  restart(session: Session, finishWithin: number, done: (report: CloseReport | undefined) => void): void {
    const registry = this.#registry
    if (session.state === "Ready" && session.generation !== undefined) {
      session.more.closers.push(done)
      this.barrier(session.generation, "Restarted", "reopen", finishWithin)
    } else if (session.state === "Stopping") this.#whenGone(session, done)
    else {
      if (session.state === "Quarantined") registry.supervision.lift(session)
      registry.steps.after(() => done(undefined))
    }
    registry.steps.commit()
  }

  /** What has been abandoned already is waited for no further (L4). */
  #whenGone(session: Session, done: (report: CloseReport | undefined) => void): void {
    const shut = session.generation?.cold?.shut
    if (shut === undefined) session.more.closers.push(done)
    else this.#registry.steps.after(() => done(shut))
  }

  /** Asked for by a task, carried out after it. */
  afterTurn(session: Session, what: "close" | "restart"): void {
    const registry = this.#registry
    if (what === "restart") return this.begin(session, "Restarted", "reopen")
    const { generation } = session
    this.#forgetSaved(session)
    registry.waiters.refuseAll(session, (task) => registry.answers.refuse(task, "Closed"))
    if (generation?.phase === "live") this.begin(session, "Requested", "forget")
    else if (generation !== undefined) this.join(session)
  }

  /** Would it wait for the turn it is called in? */
  isInside(session: Session): boolean {
    return isInside(currentFrame(), session)
  }

  /** Idle for the whole of its time; in use or waited for it would be in no list. */
  idleDue(session: Session): void {
    this.begin(session, "Idle", "forget")
  }

  /** Joining an end that is under way can only turn `reopen` into `forget`. */
  join(session: Session): void {
    session.next = joinClose(session.next)
    this.#registry.seats.noteGoing(session)
  }

  /** Starts nothing new; closes once its turns have ended, or after `within`. */
  barrier(generation: Generation, reason: CloseReason, next: Next, within: number): void {
    const registry = this.#registry
    const { session } = generation
    if (generation.phase !== "live") return
    if (within === 0) return this.begin(session, reason, next)
    const cold = generation.more
    const wanted = joined(cold.barrier, reason, next)
    let deadline = cold.barrier?.deadline
    // A later wish can only shorten what an earlier one allowed.
    if (registry.time.now() + within < (deadline?.dueAt ?? Infinity)) {
      registry.timetable.drop(deadline)
      deadline = registry.timetable.at("drain", within, () => this.begin(session, reason, next))
    }
    cold.barrier = { ...wanted, deadline }
    registry.hangs.recheck(session)
    registry.turns.pump(session)
  }

  // ── the end itself ──

  /** From Ready. `by`: the task that declared the resource broken may finish. */
  begin(session: Session, reason: CloseReason, next: Next, by?: Task): void {
    const registry = this.#registry
    const generation = session.generation
    if (generation === undefined || generation.phase !== "live") return
    if (session.list !== undefined) session.list.remove(session)
    const cold = generation.more
    ;({ reason, next } = joined(cold.barrier, reason, next))
    generation.phase = "stopping"
    generation.reason = next === "quarantine" ? "RestartLimit" : reason
    session.next = next
    registry.setState(session, "Stopping")
    cold.closingSince = registry.time.now()
    if (registry.tracing !== undefined) cold.closeTrace = registry.tracing.close(generation, by)
    registry.timetable.drop(cold.barrier?.deadline)
    registry.timetable.drop(cold.needGrace)
    registry.timetable.drop(cold.stable)
    registry.recycling.stop(generation)
    registry.probes.stop(generation)
    registry.events.lifecycle((stamp) => ({
      _tag: "Closing",
      session: generation.ref,
      reason: generation.reason ?? reason,
      ...stamp,
    }))
    registry.recorder.note(generation, "Closing", generation.reason)
    this.#tellWaiters(session, generation, cold.barrier !== undefined)
    for (const lease of cold.leases ?? []) registry.leases.end(lease, "revoked")
    const cut = cutBy[generation.reason]
    for (const task of generation.running ?? []) if (task !== by) registry.stops.cut(task, cut)
    if (cold.controller !== undefined) registry.steps.after(() => abortSignal(generation))
    if (generation.running === undefined || generation.running.size === 0) return this.finalize(generation)
    cold.stopGrace = registry.timetable.at("grace", registry.policy.timeouts.grace, () => {
      if (generation.phase !== "stopping") return
      for (const task of generation.running ?? []) {
        task.cut ??= cut
        registry.hangs.abandon(task)
      }
      this.finalize(generation)
    })
  }
  /** A barrier has told its waiters when it began; who came since opens afresh. */
  #tellWaiters(session: Session, generation: Generation, toldBefore: boolean): void {
    const { answers, draining, phase, policy, waiters } = this.#registry
    const bound = (task: Task): boolean => task.bound === generation
    waiters.refuseAll(
      session,
      (task) => answers.refuse(task, "LeaseEnded"),
      (task) => !bound(task),
    )
    if (session.next === "quarantine") {
      const retryAfter = quarantineFor(policy.restart, session.cold?.coolDowns ?? 0)
      waiters.refuseAll(session, (task) => answers.refuse(task, "Quarantined", retryAfter))
    } else if (session.next === "forget" && !toldBefore) {
      const reason = phase === "accepting" || !draining.cut ? "Closed" : "Draining"
      waiters.refuseAll(session, (task) => answers.refuse(task, reason))
    }
  }
  /** A task of it has ended, or its opening, or something abandoned. */
  workEnded(generation: Generation): void {
    if (generation.phase === "stopping" && (generation.running?.size ?? 0) === 0) this.finalize(generation)
    else this.#maybeGone(generation)
  }

  finalize(generation: Generation): void {
    const registry = this.#registry
    const cold = generation.more
    generation.phase = "finalizing"
    registry.timetable.drop(cold.stopGrace)
    if (cold.closingSince === 0) cold.closingSince = registry.time.now()
    cold.finalizerFrame = new Frame("finalizer", generation.session, undefined, undefined)
    cold.toRun = generation.takeFinalizers()
    // Nothing to close: its opening has said all.
    if (registry.tracing !== undefined && cold.closeTrace === undefined && cold.toRun.length > 0)
      cold.closeTrace = registry.tracing.close(generation, undefined)
    cold.finalizerFrame.trace = cold.closeTrace
    if (generation.reason !== undefined) this.#planSave(generation, generation.reason, cold.save)
    cold.closeDeadline = registry.timetable.at("close", registry.policy.timeouts.close, () =>
      this.#overdue(generation),
    )
    this.#nextFinalizer(generation)
  }
  /** Saving is the first thing a close does, under a finalizer's deadline. */
  #planSave(generation: Generation, reason: CloseReason, save: (() => unknown) | undefined): void {
    const registry = this.#registry
    const cold = generation.more
    if (forgetting.has(reason) || cold.forgets) registry.saving.planForget(generation)
    // Never from a generation in bad order: the last good state stays.
    if (save === undefined || !orderly.has(reason) || cold.abandoned > 0 || cold.forgets) return
    cold.toRun.unshift(() => registry.saving.save(generation, save))
  }

  #nextFinalizer(generation: Generation): void {
    const registry = this.#registry
    if (generation.phase !== "finalizing") return
    const finalizer = generation.more.toRun.shift()
    if (finalizer === undefined) return this.#maybeGone(generation)
    let passed = false
    const next = (): void => {
      if (passed) return
      passed = true
      this.#nextFinalizer(generation)
    }
    const { timetable, policy } = registry
    // Hung: the next one starts all the same, or one would eat the time of all the others.
    const deadline = timetable.at("close", policy.timeouts.close / 3, () => next())
    this.#run(generation, finalizer, () => {
      timetable.drop(deadline)
      next()
    })
  }
  #run(generation: Generation, finalizer: Finalizer, ended: () => void): void {
    const registry = this.#registry
    const cold = generation.more
    cold.finalizing++
    const settle = (): void =>
      registry.guarded(() => {
        cold.finalizing--
        ended()
        this.#maybeGone(generation)
      })
    const failed = (error: unknown): void => {
      cold.errors.push(error)
      registry.supervision.note(generation.session, "close", error)
      settle()
    }
    registry.steps.after(() => {
      try {
        const result = runClean(() => finalizer(generation.reason ?? "Requested"), cold.finalizerFrame)
        if (typeof result === "object" && result !== null && "then" in result)
          Promise.resolve(result).then(settle, failed)
        else settle()
      } catch (error) {
        failed(error)
      }
    })
  }
  /** Registered when the generation is going or gone: runs at once. */
  late(generation: Generation, finalizer: Finalizer): void {
    this.#run(generation, finalizer, () => {})
    this.#registry.steps.commit()
  }

  /** The close deadline: what has not started starts now, and nothing is waited for any more. */
  #overdue(generation: Generation): void {
    if (generation.phase !== "finalizing") return
    const rest = generation.more.toRun.splice(0)
    for (const finalizer of rest) this.#run(generation, finalizer, () => {})
    this.#gone(generation, true)
  }

  #maybeGone(generation: Generation): void {
    const { cold } = generation
    if (cold === undefined) return
    const outstanding =
      cold.openPending || cold.arriving > 0 || cold.abandoned > 0 || cold.probing > 0 || cold.finalizing > 0
    if (outstanding || cold.toRun.length > 0) return
    if (generation.phase === "finalizing") this.#gone(generation, false)
    else if (generation.phase === "leaked") {
      generation.phase = "closed"
      this.leaked--
      // Who waits because too many have leaked is looked at again.
      this.#registry.steps.dirty = true
      this.#registry.recorder.note(generation, "LeakEnded")
      this.#registry.events.lifecycle((stamp) => ({ _tag: "LeakEnded", session: generation.ref, ...stamp }))
      if (cold.shut === undefined) return
      this.shut--
      generation.session.generation = undefined
      this.#goOn(generation, cold.shut.reason)
    }
  }

  #gone(generation: Generation, leaked: boolean): void {
    const registry = this.#registry
    const { session } = generation
    const cold = generation.more
    const reason = generation.reason ?? "Requested"
    generation.phase = leaked ? "leaked" : "closed"
    generation.resource = undefined
    registry.timetable.drop(cold.closeDeadline)
    cold.finalizerFrame?.end()
    cold.openFrame?.end()
    this.inService--
    if (leaked) this.leaked++
    registry.draining.noteGone(generation.ref, leaked)
    registry.rememberEnd(generation, reason, leaked)
    const durationMs = registry.time.now() - cold.closingSince
    registry.monitor.closed(
      reason,
      cold.unopened ? undefined : cold.closingSince - generation.since,
      durationMs,
      leaked,
    )
    registry.events.lifecycle((stamp) => ({
      _tag: "Closed",
      session: generation.ref,
      reason,
      durationMs,
      leaked,
      ...stamp,
    }))
    if (cold.closeTrace !== undefined) closeEnded(cold.closeTrace, reason, leaked, cold.errors)
    cold.closeTrace = undefined
    const report: CloseReport = { session: generation.ref, reason, leaked, errors: cold.errors }
    for (const closer of session.cold?.closers.splice(0) ?? []) registry.steps.after(() => closer(report))
    registry.steps.dirty = true
    if (leaked && registry.policy.onLeak === "wait") {
      cold.shut = report
      this.shut++
      return registry.seats.release(session)
    }
    session.generation = undefined
    // What only its closing needed goes with it; what was abandoned still counts its ends there.
    if (!leaked) generation.cold = undefined
    this.#goOn(generation, reason)
  }
  #goOn(generation: Generation, reason: CloseReason): void {
    const registry = this.#registry
    const { session } = generation
    const { opening, policy, seats, supervision } = registry
    const eager = policy.restart.eager && (reason === "Broken" || reason === "Unresponsive")
    if (session.cold !== undefined) session.cold.eager = eager
    const then = afterGone({
      next: session.next,
      waitedFor: session.waiting > 0,
      eager,
      accepting: registry.phase === "accepting",
      seated: session.seated && seats.shut === undefined,
    })
    switch (then) {
      case "quarantine":
        supervision.quarantine(generation)
        seats.release(session)
        return registry.tidy(session)
      case "reopen":
        return opening.schedule(session)
      case "rejoin":
        seats.release(session)
        return seats.join(session)
      case "forget":
        registry.setState(session, "Dormant")
        seats.release(session)
        return registry.tidy(session)
    }
  }
}
