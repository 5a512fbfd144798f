/** A registry's snapshot against the book, at a moment when nothing is on its way between the two. */
import type { Snapshot } from "@sojourn/core"
import { place } from "../book/names.ts"
import type { Call, SiteRecord } from "../book/types.ts"
import type { Found } from "./Facts.ts"

export function* counts(waiting: Iterable<Call>, site: SiteRecord, snapshot: Snapshot): Found {
  const said = snapshot.counts
  const queued = new Map<string, number>()
  let all = 0
  for (const call of waiting) {
    if (call.site !== site) continue
    all++
    queued.set(call.key, (queued.get(call.key) ?? 0) + 1)
  }
  for (const { queued: told, session } of snapshot.sessions) {
    const own = queued.get(session.key) ?? 0
    if (told !== own)
      yield {
        what: `${place(site, session.key)} counts ${told} queued, by the book it is ${own}`,
        about: place(site, session.key),
      }
  }
  if (said.queued !== all)
    yield { what: `${site.name} counts ${said.queued} queued, by the book it is ${all}` }
  let inService = 0
  let leaked = 0
  for (const { event } of site.heard) {
    if (event._tag === "Opening") inService++
    if (event._tag === "Closed") {
      inService--
      if (event.leaked) leaked++
    }
    if (event._tag === "LeakEnded") leaked--
  }
  if (said.leaked !== leaked)
    yield { what: `${site.name} counts ${said.leaked} leaked, by its events it is ${leaked}` }
  // Where a key stays shut until its leak has ended, it is closing until then, and holds no place.
  const shut = site.terms.onLeak === "wait" ? leaked : 0
  const states = said.Opening + said.Ready + said.Restarting + said.Closing - shut
  if (states !== inService)
    yield { what: `${site.name} counts ${states} generations, by its events it is ${inService}` }
  if (states + said.Backoff > site.terms.maxSessions)
    yield { what: `${site.name} has ${states + said.Backoff} sessions, at most ${site.terms.maxSessions}` }
}
