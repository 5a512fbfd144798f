/** What supervision adds to a schedule: probes of every kind, evictions, state for the next life, and their laws. */
import type { Opening, ProbeContext } from "../../Sessions.ts"
import { lifeName, nameOf, type Book, type Life, type Site } from "./Book.ts"
import type { Health } from "./plans.ts"
import { abortOf, unending, type Universe } from "./universe.ts"

/** Given inside `open`. */
export const giveProbe = (universe: Universe, life: Life, opening: Opening, health: Health): void => {
  let asked = 0
  opening.probe(
    async ({ signal, why }: ProbeContext) => {
      const answer = health.answers[asked++ % health.answers.length]
      universe.book.note(`probe of ${lifeName(life)} (${why}): ${answer}`)
      checkProbe(universe.book, life)
      life.probing++
      try {
        if (answer === "slow") await universe.clock.after(50)
        // From here on it may be lost to it at any time.
        if (answer !== "good" && answer !== "slow") life.declared = true
        if (answer === "throw") throw new Error("unwell")
        if (answer === "hang") await unending()
        if (answer === "late") await Promise.race([universe.clock.after(20_000), abortOf(signal)])
        return answer !== "false"
      } finally {
        life.probing--
      }
    },
    { trustFor: health.trustFor, every: health.every, timeout: health.timeout },
  )
}

/** L11: never beside a turn, one at a time. */
const checkProbe = (book: Book, life: Life): void => {
  const turns = [...life.bodies].filter((call) => call.task?.beside === false && !call.task.abandoned)
  book.expect(turns.length === 0, () => `L11 ${lifeName(life)} is probed beside ${turns.map(nameOf).join()}`)
  book.expect(life.probing === 0, `L11 ${lifeName(life)} is probed twice at once`)
}

/** An operator makes room by hand: of an idle session only. */
export const evict = (universe: Universe, site: Site, key: string): void => {
  const session = site.registry.sessions.get(key)
  if (session?.idle !== true || site.registry.phase !== "accepting") return
  universe.book.note(`evict ${site.index}/${key}`)
  universe.book.evictions.add(session)
  site.registry.closing.begin(session, "Evicted", "forget")
  site.registry.steps.commit()
}

const orderly = new Set(["Idle", "Evicted", "Recycled", "Restarted", "Drained"])
const forgetting = new Set(["Requested", "Ended"])

/** Asked for state at an orderly end only (L25). */
export const giveSave = (universe: Universe, life: Life, opening: Opening): void => {
  const { book, clock } = universe
  opening.save(() => {
    const { reason } = life.generation
    book.expect(
      reason !== undefined && orderly.has(reason),
      `L25 ${lifeName(life)} is asked for its state at ${reason}`,
    )
    life.savedAt = clock.now
    return { serial: life.generation.serial }
  })
}

/** L25: what the last orderly end saved, unless it was forgotten since. */
export const checkRestored = (universe: Universe, life: Life, opening: Opening): void => {
  const { book } = universe
  const restored = opening.restored as { readonly serial: number } | undefined
  const before = book.lives.filter(
    (each) => each.site === life.site && each.key === life.key && each !== life,
  )
  const last = before.findLast((each) => each.savedAt !== undefined)
  if (restored === undefined) {
    if (last?.savedAt === undefined) return
    // Openings that failed with it have had it set aside.
    const failed = before.filter(
      ({ generation }) => generation.reason === "OpenFailed" && generation.serial > last.generation.serial,
    )
    const gone = failed.length >= 2 || last.generation.phase === "leaked"
    book.expect(
      gone || wasForgotten(book, before, last, last.savedAt, true),
      `L25 ${lifeName(life)} has nothing of #${last.generation.serial}, which saved`,
    )
    return
  }
  const from = before.find((each) => each.generation.serial === restored.serial)
  book.expect(from !== undefined && from === last, `L25 ${lifeName(life)} goes on from #${restored.serial}`)
  if (from?.savedAt === undefined) return
  book.expect(
    !wasForgotten(book, before, from, from.savedAt, false),
    `L25 ${lifeName(life)} goes on from #${restored.serial}, which was forgotten`,
  )
}

/** A close or an end since then; at the very moment either may have come first. */
const wasForgotten = (
  book: Book,
  before: ReadonlyArray<Life>,
  from: Life,
  savedAt: number,
  atThatMoment: boolean,
): boolean => {
  const later = before.filter((each) => each.generation.serial > from.generation.serial)
  if (later.some(({ generation: { reason } }) => reason !== undefined && forgetting.has(reason))) return true
  const since = (at: number | undefined): boolean =>
    at !== undefined && (atThatMoment ? at >= savedAt : at > savedAt)
  // What a task asks for while its generation closes is carried out when it ends, which may be after the saving.
  if (atThatMoment && [from, ...later].some((each) => each.closedByTask !== undefined)) return true
  return book.closers.some(
    (closer) =>
      closer.what === "close" &&
      closer.site === from.site &&
      closer.key === from.key &&
      !closer.refused &&
      since(closer.asked),
  )
}
