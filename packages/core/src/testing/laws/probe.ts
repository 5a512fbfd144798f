/**
 * Looks into the engine where it decides: each hand-in, start, telling, closing and commit is held against the laws in
 * the very step in which it happens, before anything else can cover it up.
 */
import type { Registry } from "../../registry/Registry.ts"
import type { Task } from "../../task/Task.ts"
import { checkAlways } from "./always.ts"
import { lifeName, nameOf, type Book, type Call, type Site } from "./Book.ts"
import { watchEnds } from "./ends.ts"
import { watchAbandoned, watchSilence } from "./hangs.ts"
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
    const { maxLeaked } = registry.policy
    if (state === "Opening") {
      const { leaked } = registry.closing
      book.expect(
        leaked < maxLeaked,
        `L3 ${session.key} opens although ${leaked} of ${maxLeaked} have leaked`,
      )
    }
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
  const { answers, handIn } = registry
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
  const tell = answers.tell.bind(answers)
  answers.tell = (task, given, value) => {
    const call = book.byTask.get(task)
    // One that was put back has started: what refuses it then interrupts it.
    const outcome = given === "rejected" && task.extras?.replayed === true ? "interrupted" : given
    if (call !== undefined && task.outcome === undefined) {
      checkTold(book, call, task, outcome, value)
      call.outcome = { is: outcome, value, at: book.now() }
      call.parent?.calls.delete(call)
      const reason =
        typeof value === "object" && value !== null && "reason" in value ? String(value.reason) : ""
      book.note(`${nameOf(call)} is told ${outcome} ${reason}`)
    }
    tell(task, given, value)
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
  const { started } = task
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
      checkUsedUp(book, call, task)
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
/** L8: not one turn more than `maxTurns` on one generation, but for those of leases that hold it. */
const checkUsedUp = (book: Book, call: Call, task: Task): void => {
  const { generation } = task.session ?? {}
  if (generation === undefined || task.kind === "background" || task.kind === "lease" || isOwn(call)) return
  const held = (generation.cold?.leases?.size ?? 0) > 0
  book.expect(
    held || generation.turns < call.site.registry.policy.maxTurns,
    `L8 ${nameOf(call)} starts on a generation that has had its ${generation.turns} turns`,
  )
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
  turns.pump = (session, now) => {
    const { generation } = session
    const life = generation === undefined ? undefined : book.byGeneration.get(generation)
    if (life !== undefined && session.state === "Ready") {
      book.expect(!life.wasAborting, `L1 the aborted ${lifeName(life)} was put in service`)
      life.readyAt ??= book.now()
    }
    pump(session, now)
  }
}
