/** One registry, read once a tick: what it shows now, and what has been added to its counters since the reading before. */
import {
  closeReasons,
  type Inspection,
  type NamedTasks,
  sessionRefusedReasons,
  type Totals,
} from "@sojourn/core/inspect"
import { liveSessionStates, taskOutcomes } from "../protocol/words.ts"
import { acquisitions, openingOutcomes, rates, type Span, spans } from "./catalogue.ts"
import { Spread } from "./spread.ts"

export class Source {
  readonly #inspection: Inspection
  readonly #before: Float64Array = new Float64Array(rates.length)
  readonly #now: Float64Array = new Float64Array(rates.length)
  readonly #spreads: { readonly [S in Span]: Spread } = { waits: new Spread(), runs: new Spread() }

  constructor(inspection: Inspection) {
    this.#inspection = inspection
  }
  /** Nothing of it moves any more. */
  get over(): boolean {
    const { phase } = this.#inspection
    return phase === "drained" && this.#inspection.gauges().leaked === 0
  }
  /** Adds to each: `values` as the catalogue has its gauges, then what its counters rose by; `ended` by span. */
  read(values: Float64Array, ended: { readonly [S in Span]: Float64Array }): void {
    const { durations, totals } = this.#inspection
    const gauges = this.#inspection.gauges()
    let at = 0
    for (const state of liveSessionStates) add(values, at++, gauges.sessions[state])
    add(values, at++, gauges.idle)
    add(values, at++, gauges.leaked)
    add(values, at++, gauges.queued)
    add(values, at++, gauges.running)
    add(values, at++, gauges.leases)
    count(totals, this.#inspection.tasks(), this.#now)
    for (let index = 0; index < rates.length; index++) {
      const now = this.#now[index] ?? 0
      add(values, at++, now - (this.#before[index] ?? 0))
      this.#before[index] = now
    }
    for (const span of spans) this.#spreads[span].take(durations[span], ended[span])
  }
}

const add = (values: Float64Array, at: number, more: number): void => {
  values[at] = (values[at] ?? 0) + more
}

/** In the order of `rates`. */
const count = (totals: Totals, tasks: Iterable<NamedTasks>, into: Float64Array): void => {
  let at = 0
  const { first, again } = totals.openings
  for (const outcome of openingOutcomes) into[at++] = first[outcome] + again[outcome]
  for (const reason of closeReasons) into[at++] = totals.ends[reason]
  let started = 0
  for (const named of tasks) started += named.started
  into[at++] = started
  for (const outcome of taskOutcomes) into[at++] = totals.outcomes[outcome]
  for (const reason of sessionRefusedReasons) into[at++] = totals.refusals[reason]
  for (const how of acquisitions) into[at++] = totals.acquisitions[how]
  into[at++] = totals.lost
  into[at++] = totals.abandoned
}
