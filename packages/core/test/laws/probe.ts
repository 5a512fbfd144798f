/**
 * Looks into the engine where it decides: each hand-in, start, telling, closing and commit is held against the laws in
 * the very step in which it happens, before anything else can cover it up.
 */
import { TaskStopped } from "../../src/errors.ts"
import type { CloseReason } from "../../src/Sessions.ts"
import type { Registry } from "../../src/registry/Registry.ts"
import type { Generation } from "../../src/session/Generation.ts"
import type { Session } from "../../src/session/Session.ts"
import { Lease } from "../../src/task/Leases.ts"
import type { Task } from "../../src/task/Task.ts"
import { checkAlways } from "./always.ts"
import { lifeName, nameOf, type Book, type Call, type Life, type Site } from "./Book.ts"
import { chainOf, isOwn, wouldWait } from "./reentryLaw.ts"

export const probe = (book: Book, site: Site): void => {
  const { registry } = site
  watchCalls(book, registry)
  watchStarts(book, registry)
  watchEnds(book, site)
  watchOpenings(book, site)
  watchAbandoned(book, site)
  const held = registry.timetable.held.bind(registry.timetable)
  registry.timetable.held = (change) => {
    site.held += change
    held(change)
  }
  const setState = registry.setState.bind(registry)
  registry.setState = (session, state) => {
    try {
      setState(session, state)
    } catch (error) {
      book.broken(`L20 ${String(error)}`)
      throw error
    }
  }
  const commit = registry.steps.commit.bind(registry.steps)
  registry.steps.commit = () => {
    site.depth++
    commit()
    site.depth--
    if (site.depth === 0) checkAlways(book, site)
  }
}

const watchCalls = (book: Book, registry: Registry): void => {
  const { handIn, turns } = registry
  const take = handIn.take.bind(handIn)
  handIn.take = (task, key, options, bound) => {
    const call = book.pending
    book.pending = undefined
    if (call !== undefined) {
      call.task = task
      book.byTask.set(task, call)
      deliverOnce(book, call, task)
      watchSilence(book, call, task)
      call.wouldWait = wouldWait(book, call)
      call.afterStop = call.parent?.call?.task?.state === "stopping"
      if (call.parent?.isActive() === true) {
        call.parent.calls.add(call)
        book.holders.add(call.parent)
      }
    }
    take(task, key, options, bound)
    if (call === undefined || task.outcome === undefined) return
    // Told in the very call.
    const { value } = call.outcome ?? {}
    if (isMisuse(value, "ReentrantRun")) {
      book.expect(call.wouldWait === true, `L7 ${nameOf(call)} was refused, but it could be served`)
    }
  }
  const tell = turns.tell.bind(turns)
  turns.tell = (task, outcome, value) => {
    const call = book.byTask.get(task)
    if (call !== undefined && task.outcome === undefined) {
      checkTold(book, call, task, outcome, value)
      call.outcome = { is: outcome, value, at: book.now() }
      call.parent?.calls.delete(call)
      const reason =
        typeof value === "object" && value !== null && "reason" in value ? String(value.reason) : ""
      book.note(`${nameOf(call)} is told ${outcome} ${reason}`)
    }
    tell(task, outcome, value)
  }
}

const deliverOnce = (book: Book, call: Call, task: Task): void => {
  const deliver = task.deliver.bind(task)
  let delivered = 0
  task.deliver = (outcome, value) => {
    book.expect(
      ++delivered === 1,
      `L5 ${nameOf(call)} is told ${outcome} after it was told ${call.outcome?.is}`,
    )
    deliver(outcome, value)
  }
}

/** A stall is seen only from the next beat of the loop's pulse on. */
const longestBeat = 500
/** L13, L23: nobody is silent while the loop stands still, or while a call it made is under way. */
const watchSilence = (book: Book, call: Call, task: Task): void => {
  const stop = task.stop.bind(task)
  task.stop = (reason) => {
    if (reason instanceof TaskStopped && reason.reason === "Silent") {
      const { timeouts } = call.site.registry.policy
      const stalls = book.stalls.filter((stall) => stall.at > task.progressAt).length
      const silent = book.now() - task.progressAt - book.stalledSince(task.progressAt) + stalls * longestBeat
      const waits = [...call.holder.calls].filter((nested) => nested.outcome === undefined)
      book.expect(
        silent >= timeouts.silence,
        `L23 ${nameOf(call)} counts as silent after ${silent} ms of the loop's time`,
      )
      book.expect(
        waits.length === 0,
        () => `L13 ${nameOf(call)} counts as silent while ${waits.map(nameOf).join()} is under way`,
      )
    }
    stop(reason)
  }
}

const isMisuse = (value: unknown, reason: string): boolean =>
  typeof value === "object" &&
  value !== null &&
  "_tag" in value &&
  value._tag === "SessionMisuse" &&
  "reason" in value &&
  value.reason === reason

/** In the step in which its outcome is fixed. */
const checkTold = (book: Book, call: Call, task: Task, outcome: string, value: unknown): void => {
  const { registry } = call.site
  book.expect(call.outcome === undefined, `L5 ${nameOf(call)} got a second outcome, ${outcome}`)
  const started = task.generation !== undefined
  if (outcome === "rejected") book.expect(!started, `L12 ${nameOf(call)} was refused after it had started`)
  if (outcome === "interrupted")
    book.expect(started, `L5 ${nameOf(call)} was interrupted before it had started`)
  if (typeof value !== "object" || value === null || !("_tag" in value) || !("reason" in value)) return
  if (call.ended !== undefined && call.ended.value === value) return
  if (value.reason === "Draining" && registry.phase === "draining" && !registry.draining.cut) {
    const admitted = chainOf(call.parent).some((holder) => holder.kind !== "finalizer")
    book.expect(!admitted, `L14 ${nameOf(call)}, part of admitted work, was refused before the cut`)
  }
}

const watchStarts = (book: Book, registry: Registry): void => {
  const { turns } = registry
  const start = turns.start.bind(turns)
  turns.start = (session, task, now) => {
    const call = startedCall(book, task)
    const { generation } = session
    if (call !== undefined) {
      const life = generation === undefined ? undefined : book.byGeneration.get(generation)
      if (life !== undefined) life.busyAt = book.now()
      book.expect(task.outcome === undefined, `L6 ${nameOf(call)} starts although its caller was told`)
      book.expect(
        session.state === "Ready" && generation?.phase === "live",
        `L3 ${nameOf(call)} starts on a session that is ${session.state}`,
      )
      book.expect(life?.wasAborting !== true, `L1 ${nameOf(call)} starts on an aborted open`)
      book.expect(
        task.bound === undefined || task.bound === generation,
        `L8 ${nameOf(call)} of a lease moved on`,
      )
      if (!task.beside && !isOwn(call)) {
        book.expect(
          generation?.cold?.barrier === undefined,
          `L8 ${nameOf(call)} starts on a retiring generation`,
        )
        checkOrder(book, call)
      }
    }
    start(session, task, now)
  }
}
/** L6, L13: a slot is lost only `grace` after its turn was told to stop, and while somebody needs it. */
const watchAbandoned = (book: Book, site: Site): void => {
  const { policy, turns } = site.registry
  const abandon = turns.abandon.bind(turns)
  turns.abandon = (task) => {
    const { generation } = task
    const call = book.byTask.get(task)
    if (call !== undefined && generation !== undefined && task.state !== "ended") {
      const life = book.byGeneration.get(generation)
      const { grace } = policy.timeouts
      const now = book.now()
      if (life !== undefined && !task.beside) life.slotsLost++
      // From Ready on it has its own grace; once its generation is closing, that one's.
      const stop = generation.phase === "live" ? call.stopSeen?.at : generation.cold?.closingSince
      if (stop !== undefined)
        book.expect(
          now - stop >= grace,
          `L6 ${nameOf(call)} is abandoned ${now - stop} ms after it was told to stop`,
        )
      // One that is silent as well is abandoned whether its slot is needed or not: its silence is no longer watched.
      if (generation.phase === "live" && life !== undefined && task.silence !== Infinity) {
        const needed = now - (life.neededSince ?? now)
        book.expect(
          needed >= grace,
          `L6 ${nameOf(call)} is abandoned although its slot was needed for only ${needed} ms`,
        )
      }
    }
    abandon(task)
  }
}
const startedCall = (book: Book, task: Task): Call | undefined => {
  const { pending } = book
  if (task.kind === "background" && pending?.kind === "background") {
    pending.task = task
    book.byTask.set(task, pending)
    book.pending = undefined
  }
  return book.byTask.get(task)
}
/** L6: among queued turns of a key, first in, first out. */
const checkOrder = (book: Book, call: Call): void => {
  for (const other of book.calls) {
    if (other.number >= call.number) return
    if (other.site !== call.site || other.key !== call.key || other.task?.beside !== false) continue
    if (other.task.state !== "queued" || other.outcome !== undefined) continue
    book.broken(`L6 ${nameOf(call)} starts before ${nameOf(other)}, which came first`)
  }
}

const watchEnds = (book: Book, site: Site): void => {
  const { closing } = site.registry
  const begin = closing.begin.bind(closing)
  closing.begin = (session, reason, next, by) => {
    const { generation } = session
    if (generation?.phase === "live") {
      book.note(`${site.index}/${session.key}#${generation.serial} closes: ${reason}, then ${next}`)
      if (reason === "Idle" || reason === "Evicted") checkUnused(book, site, session, reason)
      clearLosses(book, site, session, generation, reason)
      if (reason === "Broken") {
        const declared = book.byGeneration.get(generation)?.declared === true
        book.expect(
          declared,
          `L21 ${session.key}#${generation.serial} closes Broken, but another generation was`,
        )
      }
      const lost = reason === "Broken" || reason === "Unresponsive"
      if (lost && site.registry.policy.rebuild) checkLoss(book, site, session, next)
    }
    const queued = [...(session.queue ?? [])].filter((task) => task.bound === undefined)
    begin(session, reason, next, by)
    if (next !== "reopen") return
    const left = queued.filter((task) => task.outcome !== undefined)
    book.expect(
      left.length === 0,
      `L12 ${left.length} turns on ${session.key} were told, instead of moving to the next generation`,
    )
  }
  const finalize = closing.finalize.bind(closing)
  closing.finalize = (generation) => {
    const life = book.byGeneration.get(generation)
    if (life !== undefined) {
      book.expect(life.finalizingSince === undefined, `L4 ${lifeName(life)} is finalized twice`)
      life.finalizingSince = book.now()
      const bodies = [...life.bodies].filter((call) => call.task?.state !== "ended")
      book.expect(
        bodies.length === 0,
        () => `L4 ${lifeName(life)} is released while ${bodies.map(nameOf).join()} runs on it`,
      )
    }
    finalize(generation)
  }
}

/** L8: idle or evicted only when nobody uses it or waits for it, and idle for the whole of its time. */
const checkUnused = (book: Book, site: Site, session: Session, reason: CloseReason): void => {
  const { generation } = session
  const life = generation === undefined ? undefined : book.byGeneration.get(generation)
  if (life === undefined) return
  const uses = [...life.bodies].filter((call) => call.task?.abandoned !== true)
  const leases = book.calls.filter((call) => isHeld(call, life))
  const waiters = book.calls.filter(
    (call) =>
      call.site === site &&
      call.key === session.key &&
      call.task?.state === "queued" &&
      call.outcome === undefined,
  )
  book.expect(
    uses.length === 0,
    () => `L8 ${lifeName(life)} closes ${reason} while ${uses.map(nameOf).join()} runs`,
  )
  book.expect(leases.length === 0, `L8 ${lifeName(life)} closes ${reason} while a lease is held`)
  book.expect(
    waiters.length === 0,
    () => `L8 ${lifeName(life)} closes ${reason} while ${waiters.map(nameOf).join()} waits`,
  )
  const idle = book.now() - life.busyAt
  if (reason === "Idle") {
    book.expect(idle >= site.registry.policy.idleTimeout, `L8 ${lifeName(life)} closes Idle after ${idle} ms`)
    return
  }
  if (site.registry.policy.maxPerOwner !== Infinity) return
  let going = 0
  for (const other of site.registry.sessions.values()) {
    if (other.seated && other.state === "Stopping" && other.next !== "reopen") going++
  }
  const { waiting } = site.registry.seats
  book.expect(
    going < waiting,
    `L9 ${lifeName(life)} is evicted although ${going} closings are under way for ${waiting}`,
  )
}

/** The engine's lease is the outcome of the call that asked for it. */
const isHeld = (call: Call, life: Life): boolean => {
  const lease = call.outcome?.value
  return lease instanceof Lease && lease.generation === life.generation && lease.ended === undefined
}

/** L11: each lost generation counts once; more than `times` within the window quarantine the key. */
const checkLoss = (book: Book, site: Site, session: Session, next: string): void => {
  const { policy } = site.registry
  const name = `${site.index}/${session.key}`
  const now = book.now()
  const losses = [...(book.losses.get(name) ?? []).filter((at) => now - at <= policy.restart.within), now]
  if (next === "reopen") {
    book.expect(
      losses.length <= policy.restart.times,
      `L11 ${name} was lost ${losses.length} times and is not quarantined`,
    )
  } else if (next === "quarantine" && session.cold?.trial !== true) {
    book.expect(
      losses.length > policy.restart.times,
      `L11 ${name} is quarantined after ${losses.length} losses`,
    )
  }
  book.losses.set(name, next === "quarantine" ? [] : losses)
}
/** One that lived long enough clears what was held against its key; overdue or due this moment, either may come first. */
const clearLosses = (
  book: Book,
  site: Site,
  session: Session,
  generation: Generation,
  reason: CloseReason,
): void => {
  const name = `${site.index}/${session.key}`
  const lived = book.now() - generation.since
  const stableAfter = site.registry.policy.restart.within / 6
  const lost = reason === "Broken" || reason === "Unresponsive" ? 1 : 0
  if (Math.abs(lived - stableAfter) < 1 || (lived > stableAfter && book.stalledSince(generation.since) > 0)) {
    book.losses.set(
      name,
      (session.cold?.failures ?? []).slice(0, (session.cold?.failures.length ?? 0) - lost),
    )
  } else if (lived > stableAfter) book.losses.delete(name)
}

/** L10: everyone who waited for an open that failed is told in the same step. */
const watchOpenings = (book: Book, site: Site): void => {
  const { opening, supervision, turns } = site.registry
  let waited: ReadonlyArray<Task> = []
  const note = supervision.note.bind(supervision)
  supervision.note = (session, where, error) => {
    if (where === "open") waited = [...(session.queue ?? []), ...(session.arrivals ?? [])]
    note(session, where, error)
  }
  const settled = opening.settled.bind(opening)
  opening.settled = (generation, opened, value) => {
    const life = book.byGeneration.get(generation)
    if (life !== undefined) {
      if (generation.phase === "aborting") life.wasAborting = true
    }
    waited = []
    settled(generation, opened, value)
    for (const task of waited) {
      const call = book.byTask.get(task)
      if (call !== undefined)
        book.expect(
          task.outcome !== undefined,
          `L10 ${nameOf(call)} waits on after the open it waited for has failed`,
        )
    }
  }
  const pump = turns.pump.bind(turns)
  turns.pump = (session) => {
    const { generation } = session
    const life = generation === undefined ? undefined : book.byGeneration.get(generation)
    if (life !== undefined && session.state === "Ready") {
      book.expect(!life.wasAborting, `L1 the aborted ${lifeName(life)} was put in service`)
      life.readyAt ??= book.now()
    }
    pump(session)
  }
}
