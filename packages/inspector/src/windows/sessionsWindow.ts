/** A window onto the sessions of all registries: one look at each of them, and the rows of one page. */
import type { Inspection, LiveSession } from "@sojourn/core/inspect"
import { bounds, sessionStates, type SessionColumn } from "../protocol/words.ts"
import type { SessionFilter, SessionQuery, SessionWindow } from "../protocol/windows.ts"
import type { SessionRow } from "../protocol/sessions.ts"
import type { RowContext } from "../rows/context.ts"
import { sessionRow, type Loose } from "../rows/sessionRow.ts"
import type { Value } from "./Best.ts"
import { pageOf } from "./Page.ts"
import { SearchIn, sortOf, type Window } from "./window.ts"

type Read = (session: LiveSession, kind: string, context: RowContext) => Value

const stateOrder = new Map<string, number>(sessionStates.map((state, index) => [state, index]))
const read: { readonly [K in SessionColumn]: Read } = {
  kind: (_, kind) => kind,
  shown: (session, kind, { names }) => (names.shows ? names.of(kind, session).shown : undefined),
  state: (session) => stateOrder.get(session.state),
  generation: (session) => session.generation,
  openedAt: (session) => session.openedAt,
  idleSince: (session) => session.idleSince,
  closesAt: (session) => session.closesAt,
  running: (session) => session.running,
  queued: (session) => session.queued,
  leases: (session) => session.leases,
  turns: (session) => session.turns,
  oldestTaskAt: (session) => session.oldestTaskAt,
  losses: (session) => session.losses,
  failedOpens: (session) => session.failedOpens,
  retryAt: (session) => session.retryAt,
  errorAt: (session) => session.lastError?.at,
  abandoned: (session) => session.abandoned,
  warnings: (session, kind, { warnings }) => warnings.countOf(kind, session.key),
}

/** Where a row is found again once the page is known: what a visit is given is good for that visit only. */
interface Place {
  readonly inspection: Inspection
  readonly key: string
}

export const sessionsWindow = (
  inspections: ReadonlyArray<Inspection>,
  query: SessionQuery,
  context: RowContext,
): Window<Loose<SessionRow>, SessionWindow["facets"]> => {
  const [column, descending] = sortOf<SessionColumn>(query.sort, "oldestTaskAt")
  const offset = query.offset ?? 0
  const page = pageOf<Place>(offset, query.limit ?? bounds.usualLimit, descending)
  const match = new Match(query, context)
  const valueOf = read[column]
  let total = 0
  for (const inspection of inspections) {
    const kind = inspection.name
    const ofKind = match.startKind(kind)
    inspection.each((session) => {
      if (!match.count(session, kind, ofKind)) return
      total++
      const value = valueOf(session, kind, context)
      if (page.takes(value)) page.add(value, { inspection, key: session.key })
    })
    match.endKind()
  }
  return {
    total,
    offset,
    unsearched: match.unsearched,
    facets: match.facets(),
    rows: page.rows().flatMap(({ inspection, key }) => {
      const session = inspection.find(key)
      return session === undefined ? [] : [sessionRow(inspection.name, session, context)]
    }),
  }
}

/** The filter, and how many rows each value of one of its fields would give if that field did not count. */
class Match {
  readonly #states: ReadonlySet<string> | undefined
  readonly #kinds: ReadonlySet<string> | undefined
  readonly #idle: boolean | undefined
  readonly #warned: boolean | undefined
  readonly #context: RowContext
  readonly #search: SearchIn
  readonly #byState: Record<string, number> = Object.fromEntries(sessionStates.map((state) => [state, 0]))
  readonly #byKind: Array<{ readonly name: string; readonly count: number }> = []
  #ofThisKind = 0
  #kind = ""
  #idleCount = 0
  #warnedCount = 0

  constructor(filter: SessionFilter, context: RowContext) {
    this.#states = filter.state === undefined || filter.state.length === 0 ? undefined : new Set(filter.state)
    this.#kinds = filter.kind === undefined || filter.kind.length === 0 ? undefined : new Set(filter.kind)
    this.#idle = filter.idle
    this.#warned = filter.warned
    this.#context = context
    this.#search = new SearchIn(context.names, filter.text)
  }
  get unsearched(): number {
    return this.#search.unsearched
  }
  startKind(kind: string): boolean {
    this.#kind = kind
    this.#ofThisKind = 0
    return this.#kinds === undefined || this.#kinds.has(kind)
  }
  endKind(): void {
    if (this.#byKind.length < bounds.filterValues)
      this.#byKind.push({ name: this.#kind, count: this.#ofThisKind })
  }
  /** Whether it matches; counted for each field that alone keeps it from that, or none. */
  count(session: LiveSession, kind: string, ofKind: boolean): boolean {
    const { state } = session
    const ofState = this.#states === undefined ? state !== "Closed" : this.#states.has(state)
    let misses = ofKind ? 0 : 1
    if (!ofState) misses++
    if (misses > 1) return false
    const { isIdle } = session
    const ofIdle = this.#idle === undefined || this.#idle === isIdle
    if (!ofIdle && ++misses > 1) return false
    const warned = this.#context.warnings.any && this.#context.warnings.countOf(kind, session.key) > 0
    const ofWarned = this.#warned === undefined || this.#warned === warned
    if (!ofWarned && ++misses > 1) return false
    if (!this.#search.finds(kind, session)) return false
    if (misses === 0 || !ofState) this.#byState[state] = (this.#byState[state] ?? 0) + 1
    if (misses === 0 || !ofKind) this.#ofThisKind++
    if (isIdle && (misses === 0 || !ofIdle)) this.#idleCount++
    if (warned && (misses === 0 || !ofWarned)) this.#warnedCount++
    return misses === 0
  }
  facets(): SessionWindow["facets"] {
    return {
      state: this.#byState as SessionWindow["facets"]["state"],
      kind: this.#byKind,
      idle: this.#idleCount,
      warned: this.#warnedCount,
    }
  }
}
