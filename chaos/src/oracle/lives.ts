/** Generations: never two in service, everything acquired given back once and in order, and leaks that are leaks. */
import { askName, lifeName, place } from "../book/names.ts"
import type { Life, Moment, Piece, SiteRecord, StoreOp } from "../book/types.ts"
import type { Facts, Found } from "./Facts.ts"
import { rounding, stalled } from "./slack.ts"

interface Part {
  readonly what: string
  /** Undefined: it has not ended. */
  readonly ended: Moment | undefined
  readonly began: Moment
}
/** Everything of a generation that has a beginning and an end. */
const partsOf = (facts: Facts, life: Life): ReadonlyArray<Part> => [
  { what: "its opening", began: life.opened, ended: life.openEnded?.moment },
  ...life.pieces.flatMap((piece) => [
    { what: `the arrival of its ${piece.what}`, began: piece.asked, ended: arrivalOf(life, piece) },
    ...piece.releases.map((began) => ({
      what: `the release of its ${piece.what}`,
      began,
      ended: piece.released?.moment,
    })),
  ]),
  ...life.saves.map(({ ended, started }) => ({ what: "its save", began: started, ended })),
  ...life.probes.map(({ ended, started }) => ({ what: "a probe", began: started, ended })),
  ...life.children
    .filter(({ owned }) => owned)
    .map(({ exited, pid, started }) => ({ what: `its child ${pid}`, began: started, ended: exited })),
  ...facts.bodiesOf(life).map(({ call, nth }) => ({
    what: `the body of ${call.verb} ${call.number}`,
    began: call.starts[nth]?.moment ?? life.opened,
    ended: call.ends[nth]?.moment,
  })),
]
/** An arrival that its opening never made ends with the opening. */
const arrivalOf = (life: Life, piece: Life["pieces"][number]): Moment | undefined =>
  piece.registered ?? life.openEnded?.moment

export function* neverTwo(facts: Facts): Found {
  for (const { lives, site } of facts.keys.values()) {
    const inOrder = lives.toSorted((a, b) => a.opened.tick - b.opened.tick)
    for (const [index, next] of inOrder.entries()) {
      const before = inOrder[index - 1]
      if (before === undefined) continue
      const about = place(site, next.key)
      if (next.serial <= before.serial)
        yield { what: `${lifeName(next)} was opened after #${before.serial}`, about }
      const { closed } = facts.heardOf(before)
      if (closed === undefined) {
        yield { what: `${lifeName(next)} was opened, and #${before.serial} was never closed`, about }
        continue
      }
      if (closed.event.leaked && site.terms.onLeak === "reopen") continue
      for (const part of partsOf(facts, before)) {
        if (part.began.tick > next.opened.tick) continue
        if (part.ended === undefined || part.ended.tick > next.opened.tick)
          yield {
            what: `${lifeName(next)} was opened before ${part.what} of #${before.serial} had ended`,
            about,
          }
      }
    }
  }
}

/** A close may begin with its store: what was saved is forgotten, or saved anew. */
const storeOpsAtEnd = (facts: Facts, life: Life): ReadonlyArray<StoreOp> =>
  facts
    .storeOpsOf(life)
    .filter(({ started }) => started.tick > (life.openEnded?.moment.tick ?? life.opened.tick))

/** One that was awaited is registered a moment after it has arrived: which of two came first is not known to the book. */
const cameTogether = (one: Piece, other: Piece): boolean =>
  Math.abs((one.registered?.at ?? 0) - (other.registered?.at ?? 0)) < rounding &&
  [one, other].some(({ asked, registered }) => asked !== registered)

export function* releases(facts: Facts): Found {
  for (const life of facts.round.lives) {
    const about = lifeName(life)
    const { close } = life.site.terms
    const wrong = (what: string): { what: string; about: string } => ({
      what: `${lifeName(life)} ${what}`,
      about,
    })
    for (const piece of life.pieces) {
      if (piece.registered === undefined) continue
      if (piece.releases.length !== 1)
        yield wrong(`gave its ${piece.what} ${piece.number} back ${piece.releases.length} times`)
      else if (piece.released === undefined) yield wrong(`never finished giving its ${piece.what} back`)
    }
    const before = [...life.saves, ...storeOpsAtEnd(facts, life)].map(({ started }) => started)
    const first = Math.min(
      ...[...life.pieces.flatMap(({ releases: all }) => all), ...before].map(({ tick }) => tick),
    )
    // What came when the release had begun is given back at once, and stands in no order.
    const inTime = life.pieces
      .filter(({ registered, releases: all }) => all.length === 1 && (registered?.tick ?? Infinity) < first)
      .toSorted((a, b) => (b.registered?.tick ?? 0) - (a.registered?.tick ?? 0))
    // What the library does for a child it owns stands among them, and is not in the book: from when on is not known.
    const owned = life.children.some((child) => child.owned)
    const known = [inTime[0]?.releases[0], ...before].map((moment) => moment?.at ?? Infinity)
    const begins = owned ? (facts.heardOf(life).closing?.at ?? -Infinity) : Math.min(...known)
    for (const [index, piece] of inTime.entries()) {
      const last = inTime[index - 1]
      const [start] = piece.releases
      const [startBefore] = last?.releases ?? []
      if (last === undefined || start === undefined || startBefore === undefined) continue
      if (cameTogether(last, piece)) continue
      if (start.tick < startBefore.tick)
        yield wrong(`gave its ${piece.what} ${piece.number} back before its ${last.what} ${last.number}`)
      const ended = last.released !== undefined && last.released.moment.tick < start.tick
      // Its time runs from when it was decided, which a loop that stands still separates from its start.
      const stood = stalled(facts.round, startBefore.at, start.at)
      const overran =
        start.at - startBefore.at >= close / 3 - rounding - stood ||
        start.at - begins >= close - rounding - stood
      if (!ended && !overran)
        yield wrong(`began to give its ${piece.what} back while its ${last.what} was still going`)
    }
  }
}

/** What the engine calls leaked had not ended, and what it does not had. */
export function* leaks(facts: Facts): Found {
  for (const life of facts.round.lives) {
    const about = lifeName(life)
    const { closed, leakEnded } = facts.heardOf(life)
    if (closed === undefined) {
      yield { what: `${lifeName(life)} was opened and never closed`, about }
      continue
    }
    const parts = partsOf(facts, life).filter(({ began }) => began.tick < closed.moment.tick)
    if (!closed.event.leaked) {
      for (const part of parts)
        if (part.ended === undefined || part.ended.tick > closed.moment.tick)
          yield { what: `${lifeName(life)} is called closed before ${part.what} had ended`, about }
      if (leakEnded !== undefined) yield { what: `${lifeName(life)} had no leak that could end`, about }
      continue
    }
    // It may have ended between the deadline and the event that told us.
    const tolerance = 100 + stalled(facts.round, closed.moment.at - 1000, closed.moment.at)
    const asked = facts
      .storeOpsOf(life)
      .filter(({ started }) => started.tick < closed.moment.tick)
      .map(({ ended, started }) => ({ what: "its store", began: started, ended }))
    const left = [...parts, ...asked].filter(
      ({ ended }) =>
        ended === undefined || closed.moment.at - ended.at < tolerance || ended.tick > closed.moment.tick,
    )
    if (left.length === 0)
      yield { what: `${lifeName(life)} is called leaked, and everything had ended`, about }
    if (leakEnded === undefined) yield { what: `${lifeName(life)} leaked, and the leak never ended`, about }
    else
      for (const part of parts)
        if (part.ended === undefined || part.ended.tick > leakEnded.moment.tick)
          yield { what: `the leak of ${lifeName(life)} is called ended before ${part.what} had`, about }
  }
}

/** What a life is given is what one of that key had saved, and nobody had it forgotten since. */
export function* saved(facts: Facts): Found {
  const byKey = Map.groupBy(facts.round.lives, ({ key, site }) => `${storeOf(site)} ${key}`)
  for (const lives of byKey.values()) {
    for (const life of lives) {
      if (life.restored === undefined) continue
      const about = place(life.site, life.key)
      const text = JSON.stringify(life.restored)
      const from = lives
        .flatMap(({ saves }) => saves)
        .find(
          ({ ended, state }) =>
            ended !== undefined && ended.tick < life.opened.tick && JSON.stringify(state) === text,
        )
      if (from === undefined) {
        yield { what: `${lifeName(life)} was given ${text}, which nobody had saved`, about }
        continue
      }
      // Another store may not be able to forget.
      if (life.site.store !== "own") continue
      const forgotten = facts
        .of(life.site, life.key)
        .asks.find(
          ({ asked, told, verb }) =>
            verb === "close" &&
            told?.fulfilled === true &&
            told.moment.tick < life.opened.tick &&
            from.started.tick < asked.tick,
        )
      if (forgotten !== undefined)
        yield {
          what: `${lifeName(life)} was given ${text}, which ${askName(forgotten)} had it forget`,
          about,
        }
    }
  }
}
const storeOf = ({ number, store }: SiteRecord): string => (store === "own" ? String(number) : store)
