/**
 * L7, found a second way: who waits for whom, by what the users know they do, as a greatest set of holders in which
 * everybody waits for the others. The engine asks the other question, whether one can end.
 */
import type { Session } from "../../session/Session.ts"
import { nameOf, type Book, type Call, type Holder } from "./Book.ts"

/** Whom a call made from here keeps waiting, innermost first; up to one that has ended or whose caller was told. */
export const chainOf = (from: Holder | undefined): ReadonlyArray<Holder> => {
  const chain: Array<Holder> = []
  for (let holder = from; holder?.isActive() === true; holder = holder.call?.parent) {
    chain.push(holder)
    if (holder.call?.outcome !== undefined) break
  }
  return chain
}

/** Does an ancestor hold a slot of that very session, or open it, or close it? */
export const isOwn = (call: Call): boolean =>
  chainOf(call.parent).some(
    (holder) =>
      holder.site === call.site &&
      holder.key === call.key &&
      (holder.call === undefined || holder.call.task?.beside === false),
  )

/** All who wait for each other, were `extra` let in. */
const stuck = (book: Book, extra: Call | undefined, only: (call: Call) => boolean): ReadonlySet<Holder> => {
  const waits = new Map<Holder, ReadonlyArray<Call>>()
  for (const holder of book.holders) {
    const calls = [...holder.calls].filter(
      (call) => call === extra || (call.outcome === undefined && only(call)),
    )
    if (calls.length > 0 && holder.isActive()) waits.set(holder, calls)
  }
  const set = new Set(waits.keys())
  for (let changed = true; changed;) {
    changed = false
    for (const holder of set) {
      if (!(waits.get(holder) ?? []).every((call) => canGoOn(book, call, set))) continue
      set.delete(holder)
      changed = true
    }
  }
  return set
}

const canGoOn = (book: Book, call: Call, set: ReadonlySet<Holder>): boolean => {
  if (call.task?.state === "running" || call.task?.state === "stopping") return !set.has(call.holder)
  if (call.task?.state === "ended") return true
  const session = call.site.registry.sessions.get(call.key)
  return session === undefined || isServed(book, call, session, set)
}
const isServed = (book: Book, call: Call, session: Session, set: ReadonlySet<Holder>): boolean => {
  const { generation } = session
  if (generation === undefined) return true
  const life = book.byGeneration.get(generation)
  const holdersOf = (turnsOnly: boolean): ReadonlyArray<Holder> =>
    [...(generation.running ?? [])]
      .filter((task) => !turnsOnly || !task.beside)
      .flatMap((task) => book.byTask.get(task)?.holder ?? [])
  const opens = life !== undefined && set.has(life.holder)
  switch (session.state) {
    case "Opening":
      return !opens
    case "Stopping":
      return (
        !opens &&
        !(life !== undefined && set.has(life.finalizerHolder)) &&
        !holdersOf(false).some((holder) => set.has(holder))
      )
    case "Ready": {
      const turns = holdersOf(true)
      if (generation.cold?.barrier !== undefined) return !holdersOf(false).some((holder) => set.has(holder))
      if (call.task?.beside ?? call.ask?.whenBusy === "overlap") return true
      const free = generation.slotsTaken + generation.slotsLost < session.registry.policy.concurrency
      if (free && (session.queue === undefined || session.queue.first === call.task)) return true
      return turns.length === 0 || turns.some((holder) => !set.has(holder))
    }
    case "Dormant":
    case "Waiting":
    case "Backoff":
    case "Quarantined":
      return true
  }
}

/** Looked at when a call is handed in: would its caller wait for itself? */
export const wouldWait = (book: Book, call: Call): boolean => {
  const { parent } = call
  if (parent === undefined || !parent.isActive()) return false
  if (isOwn(call)) return true
  parent.calls.add(call)
  book.holders.add(parent)
  const set = stuck(book, call, () => true)
  parent.calls.delete(call)
  return set.has(parent)
}

/** Nobody may wait in a ring that nobody can leave. */
export const checkNoRing = (book: Book): void => {
  for (const holder of book.holders) if (holder.calls.size === 0) book.holders.delete(holder)
  if (book.holders.size === 0) return
  const set = stuck(book, undefined, (call) => call.awaited)
  if (set.size === 0) return
  const ring = [...set].map((holder) =>
    [...holder.calls].map((call) => `${holder.call?.number ?? holder.kind} -> ${nameOf(call)}`).join(", "),
  )
  book.broken(`L7 these wait for each other: ${ring.join("; ")}`)
}
