/** Each closing, in the step in which it begins: for a reason that holds, of whom it may be (L4, L8, L9, L11, L12, L21). */
import type { CloseReason } from "../../Sessions.ts"
import type { Generation } from "../../session/Generation.ts"
import type { Session } from "../../session/Session.ts"
import { Lease } from "../../task/Leases.ts"
import { lifeName, nameOf, type Book, type Call, type Life, type Site } from "./Book.ts"

export const watchEnds = (book: Book, site: Site): void => {
  const { closing } = site.registry
  const begin = closing.begin.bind(closing)
  closing.begin = (session, reason, next, by) => {
    const { generation } = session
    if (generation?.phase === "live") {
      book.note(`${site.index}/${session.key}#${generation.serial} closes: ${reason}, then ${next}`)
      if (reason === "Idle" || reason === "Evicted") checkUnused(book, site, session, reason)
      clearLosses(book, site, session, generation, reason)
      if (reason === "Recycled") checkRecycled(book, site, session, generation)
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

/** L8: only when it is old or used up, and never under a turn. */
const checkRecycled = (book: Book, site: Site, session: Session, generation: Generation): void => {
  const { maxAge, maxTurns } = site.registry.policy
  const name = `${site.index}/${session.key}#${generation.serial}`
  book.expect(
    generation.turns >= maxTurns || book.now() - generation.since >= maxAge,
    `L8 ${name} is recycled after ${generation.turns} turns and ${book.now() - generation.since} ms`,
  )
  const turns = [...(generation.running ?? [])].filter((task) => task.kind !== "background")
  book.expect(turns.length === 0, `L8 ${name} is recycled under ${turns.length} turns`)
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
  if (site.registry.policy.maxPerOwner !== Infinity || book.evictions.delete(session)) return
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
