/** A registry's own account: its events, its snapshots, the reports of its closes and of its drain. */
import type { CloseReport, DrainReport } from "@sojourn/core"
import { askName, callName, lifeName, place, shown } from "../book/names.ts"
import type { Ask, Call, Life, SiteRecord } from "../book/types.ts"
import type { Facts, Found } from "./Facts.ts"
import { openGrace, rounding, slack, stalled } from "./slack.ts"

/** opened = closed + live + leaked, by the resources and by the events. */
export function* balance(facts: Facts): Found {
  for (const site of facts.round.sites) {
    const lives = facts.round.lives.filter((life) => life.site === site)
    const count = (tag: string): number => site.heard.filter(({ event }) => event._tag === tag).length
    const leaked = site.heard.filter(({ event }) => event._tag === "Closed" && event.leaked).length
    const opening = count("Opening")
    yield* openings(facts, site, lives)
    if (count("Closed") !== opening)
      yield { what: `${site.name}: ${opening} generations were opened, ${count("Closed")} closed` }
    if (count("LeakEnded") !== leaked)
      yield { what: `${site.name}: ${leaked} generations leaked, ${count("LeakEnded")} of these leaks ended` }
    const served = lives.filter(({ openEnded }) => openEnded?.returned === true).length
    if (count("Opened") > served)
      yield {
        what: `${site.name}: ${count("Opened")} generations became ready, ${served} openings succeeded`,
      }
    yield* snapshots(site)
  }
}
/** Given up while its store was still asked, a generation ends without `open` having been called. */
const beforeOpen = new Set(["OpenCancelled", "OpenFailed", "Requested", "Drained"])
function* openings(facts: Facts, site: SiteRecord, lives: ReadonlyArray<Life>): Found {
  const told = new Set<number>()
  const called = new Set(lives.map(({ serial }) => serial))
  if (called.size < lives.length) yield { what: `${site.name}: open was called twice for one generation` }
  for (const { event, moment } of site.heard) {
    if (event._tag === "Opening") told.add(event.session.serial)
    if (event._tag === "Opened" && event.durationMs > site.terms.open + slack) {
      const stood = stalled(facts.round, moment.at - event.durationMs, moment.at)
      if (event.durationMs > site.terms.open + slack + stood)
        yield {
          what: `${place(site, event.session.key)}#${event.session.serial} became ready after ${Math.round(event.durationMs)} ms, its limit is ${site.terms.open}`,
          about: place(site, event.session.key),
        }
    }
    const without =
      (event._tag === "Opened" || (event._tag === "Closed" && !beforeOpen.has(event.reason))) &&
      !called.has(event.session.serial)
    if (without)
      yield {
        what: `${event._tag} of ${place(site, event.session.key)}#${event.session.serial}, whose open was never called`,
        about: place(site, event.session.key),
      }
  }
  for (const life of lives)
    if (!told.has(life.serial))
      yield { what: `the opening of ${lifeName(life)} was never told`, about: place(site, life.key) }
}
function* snapshots(site: SiteRecord): Found {
  const drainEnded = site.heard.find(({ event }) => event._tag === "DrainEnded")
  for (const [name, snapshot] of [
    ["after its drain", site.drained],
    ["at the end", site.quiet],
  ] as const) {
    if (snapshot === undefined) continue
    if (snapshot.phase !== "drained") yield { what: `${site.name} is ${snapshot.phase} ${name}` }
    for (const [state, count] of Object.entries(snapshot.counts)) {
      const leaks = name === "after its drain" ? snapshot.counts.leaked : 0
      if (count === 0 || (state === "leaked" && leaks > 0)) continue
      // A key that waits for the end of its leak is still closing.
      if (isClosing(state) && site.terms.onLeak === "wait" && count <= leaks) continue
      yield { what: `${site.name} counts ${count} ${state} ${name}` }
    }
  }
  if (site.drained === undefined || drainEnded === undefined) return
  const at = site.drainedAt ?? Infinity
  const open = new Set<number>()
  for (const { event, moment } of site.heard) {
    if (moment.tick > at) break
    if (event._tag === "Closed" && event.leaked) open.add(event.session.serial)
    if (event._tag === "LeakEnded") open.delete(event.session.serial)
  }
  if (open.size !== site.drained.counts.leaked)
    yield {
      what: `${site.name} counts ${site.drained.counts.leaked} leaked after its drain, by its events it is ${open.size}`,
    }
}

const isClosing = (state: string): boolean => state === "Closing" || state === "Restarting"

/** Each generation is told as opening, opened at most once, closed once; nothing is left out unsaid. */
export function* events(facts: Facts): Found {
  for (const site of facts.round.sites) {
    const state = new Map<
      string,
      { readonly serial: number; readonly is: "Opening" | "Opened" | "Closing" }
    >()
    let seq = 0
    let missing = 0
    for (const { event } of site.heard) {
      if (event.seq <= seq) yield { what: `${site.name}: event ${event.seq} came after ${seq}` }
      missing += event.seq - seq - 1
      seq = event.seq
      if (event._tag === "WarningRaised" && event.warning === "EngineDefect")
        yield { what: `${site.name}: a mistake inside the engine` }
      if (event._tag === "EventsDropped") {
        if (event.count !== missing)
          yield { what: `${site.name}: ${missing} events are missing, ${event.count} are said to be dropped` }
        missing = 0
      }
      if (
        event._tag !== "Opening" &&
        event._tag !== "Opened" &&
        event._tag !== "Closing" &&
        event._tag !== "Closed"
      )
        continue
      const { key, serial } = event.session
      const before = state.get(key)
      const expected = event._tag === "Opening" ? before === undefined : before?.serial === serial
      const fits = event._tag !== "Opened" || before?.is === "Opening"
      if (!expected || !fits)
        yield {
          what: `${event._tag} of ${place(site, key)}#${serial} came ${before === undefined ? "from nowhere" : `when #${before.serial} was ${before.is}`}`,
          about: place(site, key),
        }
      if (event._tag === "Closed") state.delete(key)
      else state.set(key, { serial, is: event._tag })
    }
    if (missing > 0) yield { what: `${site.name}: ${missing} events are missing, and nobody says so` }
    for (const [key, { is, serial }] of state)
      yield { what: `${place(site, key)}#${serial} is ${is} to the end`, about: place(site, key) }
  }
}

const runsAt = (facts: Facts, call: Call, nth: number, { asked }: Ask): "surely" | "maybe" | "no" => {
  const start = call.starts[nth]
  const end = call.ends[nth]
  if (start === undefined || start.moment.tick > asked.tick) return "no"
  if (end !== undefined && end.moment.tick < asked.tick)
    // It has ended for itself; the engine learns so a moment later.
    return asked.at - end.moment.at < rounding ? "maybe" : "no"
  // A run that will be repeated is counted with its repetition.
  if (nth + 1 < call.starts.length) return "maybe"
  // A grace after it was told to stop, or after its generation began to close, it may have been abandoned.
  const told = start.stopSeen ?? facts.heardOf(start.life).closing
  const { grace } = call.site.terms
  return told !== undefined && asked.at - told.at > grace - rounding ? "maybe" : "surely"
}

export function* drains(facts: Facts): Found {
  for (const site of facts.round.sites) {
    const asks = facts.drainsOf(site)
    const [first] = asks
    if (first === undefined) continue
    const told = asks.flatMap((ask) => (ask.told === undefined ? [] : [ask.told]))
    const [answer] = told
    if (answer === undefined) continue
    for (const other of told)
      if (!other.fulfilled || other.value !== answer.value)
        yield { what: `${site.name}: two drains gave two answers, one is ${shown(other.value)}` }
    if (!answer.fulfilled) {
      yield { what: `${askName(first)} rejected with ${shown(answer.value)}` }
      continue
    }
    const report = answer.value as DrainReport
    yield* counted(facts, site, first, answer.moment.tick, report)
    const { close, grace } = site.terms
    const cutAt = Math.min(...asks.map((ask) => ask.asked.at + ask.within))
    const opens = stillOpening(site, first.asked.tick, answer.moment.tick)
    const bound = Math.max(cutAt, first.asked.at) + Math.max(grace, opens ? openGrace : 0) + close
    const late = answer.moment.at - bound - slack - stalled(facts.round, first.asked.at, answer.moment.at)
    if (late > 0)
      yield {
        what: `${askName(first)} took ${Math.round(answer.moment.at - first.asked.at)} ms, ${Math.round(late + slack)} more than its bound`,
      }
  }
}

/** Also one whose `open` was never called, because its store did not answer: an opening that is given up has its own grace. */
const stillOpening = (site: SiteRecord, from: number, until: number): boolean => {
  const begun = new Set<number>()
  for (const { event, moment } of site.heard) {
    if (moment.tick >= until) break
    if (event._tag === "Opening") begun.add(event.session.serial)
    else if ((event._tag === "Opened" || event._tag === "Closed") && moment.tick <= from)
      begun.delete(event.session.serial)
  }
  return begun.size > 0
}

function* counted(facts: Facts, site: SiteRecord, first: Ask, toldTick: number, report: DrainReport): Found {
  let least = 0
  let most = 0
  for (const call of facts.round.calls) {
    if (call.site !== site) continue
    for (const nth of call.starts.keys()) {
      const tick = call.starts[nth]?.moment.tick ?? 0
      const sure = tick > first.asked.tick && tick < toldTick ? "surely" : runsAt(facts, call, nth, first)
      if (sure === "surely") least++
      if (sure !== "no") most++
    }
  }
  const said = report.finished + report.cut.length
  if (said < least || said > most)
    yield {
      what: `${askName(first)} reports ${report.finished} finished and ${report.cut.length} cut, ${least === most ? least : `${least} to ${most}`} bodies ran`,
    }
  const during = site.heard.slice(
    site.heard.findIndex(({ event }) => event._tag === "DrainStarted"),
    site.heard.findIndex(({ event }) => event._tag === "DrainEnded"),
  )
  const closed = during.filter(({ event }) => event._tag === "Closed")
  const leaked = closed.filter(({ event }) => event._tag === "Closed" && event.leaked)
  if (report.closed !== closed.length)
    yield { what: `${askName(first)} reports ${report.closed} closed, ${closed.length} were told` }
  const leakedSerials = serials(leaked.flatMap(({ event }) => ("session" in event ? [event.session] : [])))
  if (serials(report.leaked) !== leakedSerials)
    yield {
      what: `${askName(first)} reports the leaks ${serials(report.leaked)}, told were ${leakedSerials}`,
    }
}

const serials = (of: ReadonlyArray<{ readonly serial: number }>): string =>
  of
    .map(({ serial }) => serial)
    .toSorted((a, b) => a - b)
    .join()

/** What `close` and `restart` answer is what became of the generation they speak of. */
export function* closes(facts: Facts): Found {
  const lives = new Map<SiteRecord, Map<number, Life>>()
  for (const life of facts.round.lives) {
    let own = lives.get(life.site)
    if (own === undefined) lives.set(life.site, (own = new Map()))
    own.set(life.serial, life)
  }
  for (const ask of facts.round.asks) {
    if (ask.verb !== "close" && ask.verb !== "restart") continue
    const { told } = ask
    const about = place(ask.site, ask.key)
    if (told === undefined) continue
    if (!told.fulfilled) {
      const reentrant =
        ask.parent !== undefined &&
        told.value instanceof Error &&
        "reason" in told.value &&
        told.value.reason === "ReentrantClose"
      if (!reentrant) yield { what: `${askName(ask)} rejected with ${shown(told.value)}`, about }
      continue
    }
    if (told.value === undefined) continue
    const report = told.value as CloseReport
    const life = lives.get(ask.site)?.get(report.session.serial)
    if (report.session.key !== ask.key || (life !== undefined && life.key !== ask.key))
      yield { what: `${askName(ask)} reports on #${report.session.serial}, which is not its own`, about }
    // Given up before its open was called.
    if (life === undefined) continue
    const { closed } = facts.heardOf(life)
    if (closed?.event.reason !== report.reason || closed.event.leaked !== report.leaked)
      yield {
        what: `${askName(ask)} reports ${report.reason}${report.leaked ? " leaked" : ""}, told was ${closed?.event.reason}${closed?.event.leaked === true ? " leaked" : ""}`,
        about,
      }
    const thrown = new Set(life.pieces.map(({ released }) => released?.error))
    for (const error of report.errors)
      if (!thrown.has(error))
        yield {
          what: `${askName(ask)} reports ${shown(error)}, which no finalizer of ${lifeName(life)} threw`,
          about,
        }
  }
}

/** A lease ends: given back, with its generation, or by its own clock. */
export function* leases(facts: Facts): Found {
  for (const call of facts.round.calls) {
    if (call.lease !== undefined && call.lease.ended === undefined)
      yield { what: `${callName(call)} was granted and never ended`, about: place(call.site, call.key) }
  }
}
