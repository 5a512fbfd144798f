/** What must hold whenever everything that was due has been carried out, and at the very end. */
import { lifeName, nameOf, type Book, type Site } from "./Book.ts"
import { checkNoRing } from "./reentryLaw.ts"
import { checkCall, isChecked } from "./truth.ts"

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
        // Given up before its turn to open came: users' code never began.
        book.expect(life === undefined || life.generation.gone, `L15 ${name} although it is in service`)
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
  for (const session of registry.sessions.values()) {
    // What never ends is waited for as long.
    if (session.generation?.cold?.shut === undefined || session.waiting > 0)
      book.broken(`L26 ${session.key} is ${session.state} at the end`)
  }
  book.expect(site.held === 0, `L23 ${site.held} entries keep the process alive at the end`)
  book.expect(registry.phase === "drained", `L14 the registry is ${registry.phase} at the end`)
  book.expect(registry.hangs.watched === 0, `L13 ${registry.hangs.watched} tasks are watched at the end`)
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
