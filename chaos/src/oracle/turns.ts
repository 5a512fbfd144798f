/** Turns: in order, never more than there are slots, and what has begun is never begun again. */
import { callName, lifeName, place } from "../book/names.ts"
import type { Call, Life, Moment, Start } from "../book/types.ts"
import type { Facts, Found } from "./Facts.ts"
import { rounding } from "./slack.ts"

const takesSlot = (call: Call): boolean =>
  call.verb !== "background" && call.verb !== "lease" && call.whenBusy !== "overlap"

/** Made from inside a turn of the same session: it takes a free slot or none, and stands in no line. */
const isFromItsOwn = (call: Call): boolean => {
  for (let from = call.parent; from !== undefined; from = from.parent)
    if (from.site === call.site && from.key === call.key) return true
  return false
}

export function* order(facts: Facts): Found {
  for (const { calls } of facts.keys.values()) {
    const begun = calls
      .filter((call) => call.starts.length > 0 && takesSlot(call) && (call.detach || !isFromItsOwn(call)))
      .toSorted((a, b) => (a.starts[0]?.moment.tick ?? 0) - (b.starts[0]?.moment.tick ?? 0))
    let last: Call | undefined
    for (const call of begun) {
      if (last !== undefined && call.handed.tick < last.handed.tick)
        yield {
          what: `${callName(call)} was handed in before ${last.number}, and began after it`,
          about: place(call.site, call.key),
        }
      else last = call
    }
  }
}

/** The runs on one generation that hold a slot, as they began and ended. */
const slotChanges = (facts: Facts, life: Life): ReadonlyArray<Change> =>
  facts
    .bodiesOf(life)
    .filter(({ call }) => takesSlot(call))
    .flatMap(({ call, nth }) => {
      const start = call.starts[nth]
      if (start === undefined) return []
      return [
        { call, start, moment: start.moment, begins: true },
        { call, start, moment: call.ends[nth]?.moment ?? never, begins: false },
      ]
    })
    .toSorted((a, b) => a.moment.tick - b.moment.tick)
interface Change {
  readonly call: Call
  readonly start: Start
  readonly moment: Moment
  readonly begins: boolean
}
const never: Moment = { tick: Infinity, at: Infinity }

/** Told to stop a grace ago: its slot may be lost, and it counts no more. */
const stillHolds = (start: Start, grace: number, at: number): boolean =>
  start.stopSeen === undefined || at - start.stopSeen.at < grace - rounding

export function* concurrency(facts: Facts): Found {
  for (const life of facts.round.lives) {
    const { concurrency: most, grace } = life.site.terms
    const running = new Map<Start, Call>()
    for (const { begins, call, moment, start } of slotChanges(facts, life)) {
      if (!begins) {
        running.delete(start)
        continue
      }
      running.set(start, call)
      const holding = [...running].filter(([one]) => stillHolds(one, grace, moment.at))
      if (holding.length > most)
        yield {
          what: `${holding.map(([, one]) => callName(one)).join(", ")} run at once on ${lifeName(life)}, which has ${most} slots`,
          about: place(life.site, life.key),
        }
    }
  }
}

/** A probe runs when no turn does, and no turn begins before it has answered. */
export function* probes(facts: Facts): Found {
  for (const life of facts.round.lives) {
    if (life.probes.length === 0) continue
    const about = place(life.site, life.key)
    const { grace } = life.site.terms
    const changes = slotChanges(facts, life)
    for (const { ended, started } of life.probes) {
      for (const { begins, call, moment, start } of changes) {
        if (begins && moment.tick > started.tick && moment.tick < (ended?.tick ?? Infinity))
          yield { what: `${callName(call)} began while ${lifeName(life)} was being probed`, about }
        const runs = begins && moment.tick < started.tick && stillHolds(start, grace, started.at)
        const end = changes.find((other) => !other.begins && other.start === start)
        if (runs && end !== undefined && end.moment.tick > started.tick)
          yield { what: `${lifeName(life)} was probed while ${callName(call)} ran`, about }
      }
    }
  }
}

/** How often a body may begin. */
const mostStarts = (call: Call): number => (call.idempotent ? 2 : 1)

export function* once(facts: Facts): Found {
  for (const call of facts.round.calls) {
    const about = place(call.site, call.key)
    const [first, second] = call.starts
    if (call.starts.length > mostStarts(call))
      yield { what: `${callName(call)} began ${call.starts.length} times`, about }
    else if (first !== undefined && second !== undefined) {
      const end = call.ends[0]
      if (second.life.serial <= first.life.serial)
        yield { what: `${callName(call)} began again on the same generation`, about }
      if (end?.returned === true)
        yield { what: `${callName(call)} began again although it had returned`, about }
      if (end === undefined || end.moment.tick > second.moment.tick)
        yield { what: `${callName(call)} began again while its first run went on`, about }
    }
    if (call.boundTo !== undefined && first !== undefined && first.life.serial !== call.boundTo)
      yield {
        what: `${callName(call)} belongs to a lease of #${call.boundTo}, and ran on #${first.life.serial}`,
        about,
      }
  }
}
