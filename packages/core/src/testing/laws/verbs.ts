/** Closing, restarting, cancelling and draining, from outside and from inside a turn (L4, L7). */
import { resolveKey } from "../../SessionKey.ts"
import type { Book, Holder, Site } from "./Book.ts"
import type { Ask, Verb } from "./plans.ts"
import { chainOf } from "./reentryLaw.ts"
import type { Universe } from "./universe.ts"

export const verb = async (
  universe: Universe,
  what: Verb,
  site: Site,
  key: Ask["key"],
  within: number,
  from: Holder | undefined,
): Promise<void> => {
  const { book, clock } = universe
  const { canonical } = resolveKey(key)
  book.note(
    `${what} ${site.index}/${canonical} within ${within}${from === undefined ? "" : ` from ${from.call?.number ?? from.kind}`}`,
  )
  if (what === "cancel") return void (await site.sessions.cancel(key))
  const before = book.calls.filter(
    (call) => call.site === site && call.key === canonical && call.task?.state === "queued",
  )
  const closer = {
    site,
    key: canonical,
    what,
    asked: clock.now,
    within,
    before,
    report: undefined,
    refused: false,
    done: false,
  }
  const entry: Book["closers"][number] = closer
  const own = chainOf(from).some((holder) => holder.site === site && holder.key === canonical)
  book.closers.push(entry)
  try {
    entry.report = await site.sessions[what](key, within === 0 ? undefined : { finishWithin: within })
  } catch (error) {
    entry.refused = true
    book.note(`${what} ${site.index}/${canonical} is refused`)
    book.expect(String(error).includes("SessionMisuse"), `L7 ${what} rejected with ${String(error)}`)
    book.expect(own, `L7 ${what} of ${canonical} was refused, but it could be served`)
  }
  book.expect(entry.refused || !own, `L7 ${what} of ${canonical} was accepted inside its own turn`)
  entry.done = true
}

export const drain = async (
  universe: Universe,
  site: Site,
  within: number,
  from: Holder | undefined,
): Promise<void> => {
  const { book, clock } = universe
  book.note(`drain ${site.index} within ${within}`)
  const entry: Site["drains"][number] = { asked: clock.now, within, report: undefined }
  const own = chainOf(from).some((holder) => holder.site === site)
  if (from === undefined) site.drains.push(entry)
  try {
    const report = await site.sessions.drain({ finishWithin: within })
    entry.report = report
    book.note(
      `drained ${site.index}: ${JSON.stringify({ ...report, cut: report.cut.length, leaked: report.leaked.length })}`,
    )
  } catch {
    book.expect(own, `L7 drain of ${site.index} was refused, but it could be served`)
    return
  }
  book.expect(!own, `L7 drain of ${site.index} was accepted inside its own turn`)
}
