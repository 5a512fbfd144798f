/** Everything that was promised is told within its bound. Looked at while it waits, so that a hang is found when it happens. */
import { askName, callName, place } from "../book/names.ts"
import type { Ask, Call, Round } from "../book/types.ts"
import type { Found } from "./Facts.ts"
import { openGrace, slack, stalled } from "./slack.ts"

export function* overdue(
  round: Pick<Round, "stalls">,
  open: Iterable<Call | Ask>,
  now: number,
): Generator<{ what: string; about: string }> {
  for (const each of open) {
    if (each.told !== undefined) continue
    const limit = "starts" in each ? limitOf(each) : limitOfAsk(each)
    if (limit === undefined) continue
    const late = now - limit.since - limit.ms - slack - stalled(round, limit.since, now)
    if (late <= 0) continue
    const name = "starts" in each ? callName(each) : askName(each)
    yield {
      what: `${name} is not told ${Math.round(now - limit.since)} ms after ${limit.what}; its bound is ${limit.ms}`,
      about: place(each.site, each.key),
    }
  }
}

interface Limit {
  readonly what: string
  readonly since: number
  readonly ms: number
}

/** The clock that must end it now; undefined: it waits for its own consumer, or for calls that have clocks of their own. */
const limitOf = (call: Call): Limit | undefined => {
  const { grace, queue, silence } = call.site.terms
  if (call.aborted !== undefined) return { what: "its caller aborted", since: call.aborted.moment.at, ms: 0 }
  const asked = call.stream === undefined ? 0 : call.stream.askedAt
  if (asked === undefined) return undefined
  const end = call.ends.at(-1)
  // It may have its turn once more, and waits for it anew.
  if (call.idempotent && end !== undefined && call.ends.length === call.starts.length)
    return { what: "its body ended", since: end.moment.at, ms: queue }
  if (call.verb !== "stream" && end !== undefined && call.ends.length === call.starts.length)
    return { what: "its body ended", since: end.moment.at, ms: 0 }
  if (call.timeout !== undefined) return { what: "it was handed in", since: call.handed.at, ms: call.timeout }
  if (call.starts.length === 0) return { what: "it was handed in", since: call.handed.at, ms: queue }
  if (call.nested > 0) return undefined
  return { what: "its last sign of life", since: Math.max(call.signAt, asked), ms: silence + grace }
}

const limitOfAsk = (ask: Ask): Limit | undefined => {
  const { close, grace } = ask.site.terms
  const what = "it was asked"
  const since = ask.asked.at
  switch (ask.verb) {
    case "close":
    case "restart":
    case "drain":
      return { what, since, ms: ask.within + Math.max(grace, openGrace) + close }
    case "cancel":
      return { what, since, ms: grace }
    case "resume":
      return ask.within === Infinity ? undefined : { what, since, ms: 0 }
  }
}

/** At the end of a round nothing is open, and nothing was told twice. */
export function* untold(round: Round): Found {
  for (const each of [...round.calls, ...round.asks]) {
    if ("verb" in each && each.verb === "background") continue
    const name = "starts" in each ? callName(each) : askName(each)
    const about = place(each.site, each.key)
    if (each.told === undefined) yield { what: `${name} was never told`, about }
    if (each.tellings > 1) yield { what: `${name} was told ${each.tellings} times`, about }
  }
}
