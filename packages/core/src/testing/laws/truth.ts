/** What each caller is told, and when, against what became of its work (L5, L12, L13, L17, L22). */
import { SessionMisuse, SessionOpenFailed, SessionRefused, TaskStopped } from "../../errors.ts"
import { nameOf, type Book, type Call } from "./Book.ts"

/** Timers are whole milliseconds, and one may be set by another. */
const slack = 5

const done = new WeakSet<Call>()
export const isChecked = (call: Call): boolean => {
  if (done.has(call)) return true
  const over = call.told !== undefined && (call.starts === 0 || call.ended !== undefined)
  if (over) done.add(call)
  return false
}

export const checkCall = (book: Book, call: Call): void => {
  const now = book.now()
  const { task, told } = call
  const name = nameOf(call)
  if (call.kind !== "background") {
    book.expect(
      (call.outcome === undefined) === (told === undefined),
      `L5 ${name} has the outcome ${call.outcome?.is}, its promise says ${told?.fulfilled}`,
    )
    if (told !== undefined) return checkTruth(book, call, told)
    book.expect(call.aborted === undefined, `L5 ${name} was aborted by its caller and is not told`)
    book.expect(task !== undefined, `L5 ${name} was never handed in`)
    const { policy } = call.site.registry
    if (task?.state === "queued") {
      // Put back, its clock starts again.
      const since = call.ended?.at ?? call.handedAt
      book.expect(now - since <= policy.timeouts.queue + slack, `L5 ${name} waits longer than timeouts.queue`)
    }
    const timeout = call.kind === "lease" ? undefined : call.ask?.timeout
    if (timeout !== undefined)
      book.expect(now - call.handedAt <= timeout + slack, `L5 ${name} outlived its timeout`)
    const waitsAgain = task?.state === "queued" && task.extras?.replayed === true
    book.expect(call.ended === undefined || waitsAgain, `L5 ${name} has ended and its caller is not told`)
    const parentTask = call.parent?.call?.task
    if (parentTask?.state === "stopping" && !call.afterStop && call.parent?.calls.has(call) === true) {
      book.broken(`L22 ${name} goes on although the turn it was made from was told to stop`)
    }
  }
  if (call.ended === undefined && call.starts > 0) checkSilence(book, call)
}

/** L13: told at its silence and its grace, in the loop's own time. */
const checkSilence = (book: Book, call: Call): void => {
  const { task } = call
  if (task === undefined || task.state === "ended" || call.holder.calls.size > 0) return
  const { grace, silence } = call.site.registry.policy.timeouts
  const silent = book.now() - task.progressAt
  const most = silence + grace + book.stalledSince(task.progressAt) + slack
  if (call.outcome === undefined)
    book.expect(silent <= most, `L13 ${nameOf(call)} is silent for ${silent} ms and nothing happened`)
}

const ourStops = new Set(["Closed", "Restarted", "Drained", "Broken", "Silent"])

/** L5: what a caller is told is what became of its work. */
const checkTruth = (book: Book, call: Call, told: NonNullable<Call["told"]>): void => {
  const { ended, starts } = call
  const name = nameOf(call)
  const { value } = told
  if (call.kind === "lease") {
    if (!told.fulfilled && call.aborted === undefined) {
      book.expect(isOurs(value), `L17 ${name} was rejected with ${String(value)}`)
    }
    return
  }
  if (told.fulfilled) {
    book.expect(
      ended?.returned === true && ended.value === value,
      `L5 ${name} succeeded, its work did not return that`,
    )
    return
  }
  if (call.aborted !== undefined && value === call.aborted.reason) {
    book.expect(
      told.at === call.aborted.at || told.at === call.handedAt,
      `L5 ${name} was told of its abort only at ${told.at}`,
    )
    return
  }
  if (ended !== undefined && !ended.returned && ended.value === value) return
  if (value instanceof TaskStopped) return checkStopped(book, call, value, told.at)
  const refused =
    value instanceof SessionRefused || value instanceof SessionOpenFailed || value instanceof SessionMisuse
  book.expect(refused, `L5 ${name} was rejected with ${String(value)}, which is neither ours nor its own`)
  book.expect(starts === 0, `L12 ${name} was refused (${String(value)}), but it ran`)
}
const isOurs = (value: unknown): boolean =>
  value instanceof SessionRefused ||
  value instanceof SessionOpenFailed ||
  value instanceof SessionMisuse ||
  value instanceof TaskStopped

const checkStopped = (book: Book, call: Call, error: TaskStopped, toldAt: number): void => {
  const { ended, starts } = call
  const name = nameOf(call)
  book.expect(
    error.started === starts > 0,
    `L5 ${name}: started ${error.started}, its body ran ${starts} times`,
  )
  if (!ourStops.has(error.reason)) return
  book.expect(starts >= 1, `L5 ${name} was stopped (${error.reason}) and never ran`)
  const { grace } = call.site.registry.policy.timeouts
  if (error.abandoned) {
    const stop = call.stopSeen?.at
    book.expect(ended === undefined || ended.at >= toldAt, `L5 ${name} is called abandoned, but it had ended`)
    if (stop !== undefined) {
      const waited = toldAt - stop
      book.expect(
        waited >= grace && waited <= grace + book.stalledSince(stop) + slack,
        `L5 ${name} was abandoned ${waited} ms after it was told to stop`,
      )
    }
    return
  }
  book.expect(
    ended !== undefined && ended.at <= toldAt,
    `L5 ${name} was told ${error.reason} while it ran and nobody abandoned it`,
  )
  if (book.fibers) return
  book.expect(ended?.returned !== true, `L5 ${name} returned a value, its caller was told ${error.reason}`)
  book.expect(
    ended === undefined || error.cause === ended.value || ended.value === error || isOurs(error.cause),
    `L5 ${name}: what its work threw is not the cause`,
  )
}
