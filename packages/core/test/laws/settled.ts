/** What must hold whenever everything that was due has been carried out, and at the very end. */
import { SessionMisuse, SessionOpenFailed, SessionRefused, TaskStopped } from "../../src/errors.ts"
import { lifeName, nameOf, type Book, type Call, type Site } from "./Book.ts"
import { checkNoRing } from "./reentryLaw.ts"

/** Until an opening that was told to stop is finalized although it has not ended. */
const openGrace = 5_000
/** Timers are whole milliseconds, and one may be set by another. */
const slack = 5

export const checkSettled = (book: Book, sites: ReadonlyArray<Site>): void => {
  for (const call of book.calls) if (!isChecked(call)) checkCall(book, call)
  for (const site of sites) {
    checkIdle(book, site)
    checkFinalizing(book, site)
    checkDrain(book, site)
    checkEvents(book, site)
  }
  checkClosers(book)
  checkNoRing(book)
}

const done = new WeakSet<Call>()
const isChecked = (call: Call): boolean => {
  if (done.has(call)) return true
  const over = call.told !== undefined && (call.starts === 0 || call.ended !== undefined)
  if (over) done.add(call)
  return false
}

const checkCall = (book: Book, call: Call): void => {
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
      book.expect(
        now - call.handedAt <= policy.timeouts.queue + slack,
        `L5 ${name} waits longer than timeouts.queue`,
      )
    }
    const timeout = call.kind === "lease" ? undefined : call.ask?.timeout
    if (timeout !== undefined)
      book.expect(now - call.handedAt <= timeout + slack, `L5 ${name} outlived its timeout`)
    book.expect(call.ended === undefined, `L5 ${name} has ended and its caller is not told`)
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
  book.expect(starts === 1, `L5 ${name} was stopped (${error.reason}) and never ran`)
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
    ended === undefined || error.cause === ended.value || ended.value === error,
    `L5 ${name}: what its work threw is not the cause`,
  )
}

/** L8: closed at most a little after `idleTimeout`. */
const checkIdle = (book: Book, site: Site): void => {
  for (const life of book.lives) {
    if (life.site !== site || life.goneAt !== undefined || life.wasBusy || life.generation.phase !== "live")
      continue
    const idle = book.now() - life.busyAt
    const { idleTimeout } = site.registry.policy
    book.expect(idle <= idleTimeout + slack, `L8 ${lifeName(life)} is idle for ${idle} ms and still there`)
  }
}

/** L4: when one has ended or overrun the next one starts, whatever it threw. */
const checkFinalizing = (book: Book, site: Site): void => {
  for (const life of book.lives) {
    if (life.site !== site || life.generation.phase !== "finalizing") continue
    const patience = site.registry.policy.timeouts.close / 3 + slack
    const running = life.finalizers.some(
      ({ endedAt, startedAt, starts }) =>
        starts > 0 &&
        endedAt === undefined &&
        book.now() - startedAt <= patience + book.stalledSince(startedAt),
    )
    const waiting = life.finalizers.some((finalizer) => finalizer.starts === 0)
    book.expect(running || !waiting, `L4 ${lifeName(life)}: a finalizer waits and none runs`)
  }
}

const endBound = (site: Site): number => {
  const { close, grace } = site.registry.policy.timeouts
  return Math.max(grace, openGrace) + close + slack
}

const checkDrain = (book: Book, site: Site): void => {
  const first = site.drains[0]
  if (first === undefined) return
  const cutAt = Math.min(...site.drains.map((drain) => drain.asked + drain.within))
  const bound = Math.max(cutAt, first.asked) + endBound(site) + book.stalledSince(first.asked)
  const { draining, phase } = site.registry
  if (book.now() > cutAt + slack)
    book.expect(
      phase === "drained" || draining.cut,
      `L14 ${site.index} is not cut, its time was over at ${cutAt}`,
    )
  for (const drain of site.drains) {
    if (drain.report === undefined) {
      book.expect(
        book.now() <= Math.max(bound, drain.asked),
        `L14 a drain of ${site.index} is still under way, its bound was ${bound}`,
      )
    } else {
      const same = site.drains.every((other) => other.report === undefined || other.report === drain.report)
      book.expect(same, `L14 two drains of ${site.index} gave two reports`)
    }
  }
}

const checkClosers = (book: Book): void => {
  for (const closer of book.closers) {
    if (closer.refused) continue
    const name = `${closer.what} of ${closer.site.index}/${closer.key}`
    if (closer.what === "close") {
      const waits = closer.before.filter((call) => call.outcome === undefined && call.starts === 0)
      book.expect(
        waits.length === 0,
        () => `L24 ${waits.map(nameOf).join()} came before ${name} and waits on`,
      )
    }
    if (closer.done) continue
    const bound = closer.asked + closer.within + endBound(closer.site) + book.stalledSince(closer.asked)
    book.expect(book.now() <= bound, `L4 ${name}, asked at ${closer.asked}, has not resolved`)
  }
}

const seen = new WeakMap<Site, number>()
const openKeys = new WeakMap<Site, Map<string, number>>()
/** L15: Opened and Closed alternate per key, each generation once. */
const checkEvents = (book: Book, site: Site): void => {
  const { events } = site.world
  const open = openKeys.get(site) ?? new Map<string, number>()
  openKeys.set(site, open)
  for (const event of events.slice(seen.get(site) ?? 0)) {
    if (event._tag !== "Opened" && event._tag !== "Closed" && event._tag !== "Opening") continue
    const { key, serial } = event.session
    const current = open.get(key)
    const name = `${event._tag} of ${site.index}/${key}#${serial}`
    if (event._tag === "Opening") {
      book.expect(current === undefined, `L15 ${name} while #${current} is open`)
      open.set(key, serial)
    } else {
      book.expect(current === serial, `L15 ${name} while #${current} is open`)
      if (event._tag === "Closed") {
        open.delete(key)
        const life = book.lives.find((each) => each.site === site && each.generation.serial === serial)
        book.expect(life?.generation.gone === true, `L15 ${name} although it is in service`)
      }
    }
  }
  seen.set(site, events.length)
}

/** When all was let go and time enough has passed. */
export const checkEnd = (book: Book, site: Site): void => {
  const { registry } = site
  for (const call of book.calls) {
    if (call.site === site && call.kind !== "background")
      book.expect(call.told !== undefined, `L5 ${nameOf(call)} was never told`)
  }
  book.expect(
    registry.closing.inService === 0,
    `L3 ${registry.closing.inService} generations are in service at the end`,
  )
  book.expect(registry.seats.taken === 0, `L9 ${registry.seats.taken} seats are taken at the end`)
  for (const session of registry.sessions.values())
    book.broken(`L26 ${session.key} is ${session.state} at the end`)
  book.expect(site.held === 0, `L23 ${site.held} entries keep the process alive at the end`)
  book.expect(registry.phase === "drained", `L14 the registry is ${registry.phase} at the end`)
  book.expect(registry.turns.watched === 0, `L13 ${registry.turns.watched} tasks are watched at the end`)
  book.expect(
    registry.leases.watched === 0 && registry.leases.live === 0,
    `L8 ${registry.leases.live} leases at the end`,
  )
  for (const closer of book.closers)
    book.expect(closer.done, `L4 a ${closer.what} of ${closer.key} never resolved`)
  for (const life of book.lives) {
    if (life.site !== site) continue
    book.expect(life.generation.gone, `L3 ${lifeName(life)} is ${life.generation.phase} at the end`)
    for (const finalizer of life.finalizers)
      book.expect(
        finalizer.starts === 1,
        `L4 ${lifeName(life)}/${finalizer.number} was started ${finalizer.starts} times`,
      )
  }
}
