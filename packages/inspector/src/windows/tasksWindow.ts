/** A window onto the tasks of all registries: those that live, or the last ones that have ended. */
import type { EndedTask, Inspection, LiveSession, LiveTask } from "@sojourn/core/inspect"
import { bounds, liveTaskStates, taskOutcomes, taskTypes, type TaskColumn } from "../protocol/words.ts"
import type { TaskFilter, TaskQuery, TaskWindow } from "../protocol/windows.ts"
import type { TaskRow } from "../protocol/sessions.ts"
import type { RowContext } from "../rows/context.ts"
import type { Loose } from "../rows/sessionRow.ts"
import { endedTaskRow, liveState, nameOf, taskRow } from "../rows/taskRow.ts"
import type { Named } from "../names/Names.ts"
import { withoutKey, type Secret } from "../safety/text.ts"
import type { Value } from "./Best.ts"
import { pageOf } from "./Page.ts"
import { SearchIn, sortOf, type Window } from "./window.ts"

/** What columns and filters read, of a task that lives or has ended. */
interface AnyTask {
  readonly name: string
  readonly kind: LiveTask["kind"]
  readonly state: LiveTask["state"]
  readonly queuedAt: number
  readonly startedAt: number | undefined
  readonly progressAt: number | undefined
  readonly toldAt: number | undefined
  readonly endedAt?: number | undefined
}
const order = (words: ReadonlyArray<string>): ReadonlyMap<string, number> =>
  new Map(words.map((word, index) => [word, index]))
const stateOrder = order([...liveTaskStates, ...taskOutcomes])
const typeOrder = order(taskTypes)

const stateOf = (task: AnyTask): LiveTask["state"] =>
  task.endedAt === undefined ? liveState(task.state) : task.state

const valueOf = (column: TaskColumn, task: AnyTask, kind: string): Value => {
  switch (column) {
    case "kind":
      return kind
    case "state":
      return stateOrder.get(stateOf(task))
    case "type":
      return typeOrder.get(task.kind)
    case "name":
    case "queuedAt":
    case "startedAt":
    case "progressAt":
    case "toldAt":
    case "endedAt":
      return task[column]
  }
}

export const tasksWindow = (
  inspections: ReadonlyArray<Inspection>,
  query: TaskQuery,
  context: RowContext,
): Window<Loose<TaskRow>, TaskWindow["facets"]> => {
  const ended = query.ended === true
  const [column, descending] = sortOf<TaskColumn>(query.sort, ended ? "-endedAt" : "queuedAt")
  const offset = query.offset ?? 0
  const page = pageOf<() => Loose<TaskRow>>(offset, query.limit ?? bounds.usualLimit, descending)
  const match = new Match(query, context)
  let total = 0
  const visit = (task: AnyTask, kind: string, row: () => Loose<TaskRow>): void => {
    total++
    const value = valueOf(column, task, kind)
    if (page.takes(value)) page.add(value, row)
  }
  for (const inspection of inspections) {
    if (ended) eachEnded(inspection, match, context, visit)
    else
      eachLive(inspection, match, (session, task, kind) => {
        visit(task, kind, () => taskRow(kind, task, context.names.of(kind, session), context.names))
      })
  }
  return {
    total,
    offset,
    unsearched: match.unsearched,
    facets: match.facets(),
    rows: page.rows().map((row) => row()),
  }
}

/** Every live task that matches, for what is done to all of them. */
export const matchingTasks = (
  inspections: ReadonlyArray<Inspection>,
  filter: TaskFilter,
  context: RowContext,
  visit: (session: LiveSession, task: LiveTask, inspection: Inspection) => unknown,
): void => {
  const match = new Match(filter, context)
  for (const inspection of inspections)
    eachLive(inspection, match, (session, task) => visit(session, task, inspection))
}

const eachLive = (
  inspection: Inspection,
  match: Match,
  visit: (session: LiveSession, task: LiveTask, kind: string) => void,
): void => {
  const kind = inspection.name
  const now = inspection.now()
  const ofKind = match.startKind(kind)
  const inSession = (session: LiveSession): void => {
    if (session.running === 0 && session.queued === 0) return
    if (!match.isOfSession(kind, session)) return
    let kept: LiveSession | undefined
    for (const task of session.tasks())
      if (match.count(task, kind, ofKind, now, session, session)) visit((kept ??= session.keep()), task, kind)
  }
  const only = match.sessionsOf(kind)
  if (only === undefined) inspection.each(inSession)
  else
    for (const key of only) {
      const session = inspection.find(key)
      if (session !== undefined) inSession(session)
    }
  match.endKind()
}

const eachEnded = (
  inspection: Inspection,
  match: Match,
  { names }: RowContext,
  visit: (task: AnyTask, kind: string, row: () => Loose<TaskRow>) => void,
): void => {
  const kind = inspection.name
  const now = inspection.now()
  const ofKind = match.startKind(kind)
  for (const ended of inspection.recent()) {
    const named = names.ofKey(kind, ended.key)
    if (!match.isOfHash(kind, named.hash)) continue
    const task = asTask(ended)
    if (match.count(task, kind, ofKind, now, named, undefined, named))
      visit(task, kind, () => endedTaskRow(kind, ended, named, names))
  }
  match.endKind()
}
const asTask = ({ endedAt, kind, name, outcome, queuedAt, startedAt, stop }: EndedTask): AnyTask => ({
  name,
  kind,
  state: outcome,
  queuedAt,
  startedAt,
  progressAt: undefined,
  toldAt: stop?.at,
  endedAt,
})

const setOf = (values: ReadonlyArray<string> | undefined): ReadonlySet<string> | undefined =>
  values === undefined || values.length === 0 ? undefined : new Set(values)
const mostNames = 500

class Match {
  readonly #filter: TaskFilter
  readonly #context: RowContext
  readonly #states: ReadonlySet<string> | undefined
  readonly #types: ReadonlySet<string> | undefined
  readonly #kinds: ReadonlySet<string> | undefined
  readonly #names: ReadonlySet<string> | undefined
  readonly #sessions: ReadonlySet<string> | undefined
  readonly #search: SearchIn
  readonly #text: string | undefined
  readonly #byState: Record<string, number> = Object.fromEntries(
    [...liveTaskStates, ...taskOutcomes].map((state) => [state, 0]),
  )
  readonly #byType: Record<string, number> = Object.fromEntries(taskTypes.map((type) => [type, 0]))
  readonly #byKind: Array<{ readonly name: string; readonly count: number }> = []
  readonly #byName = new Map<string, number>()
  #ofThisKind = 0
  #kind = ""

  constructor(filter: TaskFilter, context: RowContext) {
    this.#filter = filter
    this.#context = context
    this.#states = setOf(filter.state)
    this.#types = setOf(filter.type)
    this.#kinds = setOf(filter.kind)
    this.#names = setOf(filter.name)
    this.#sessions = setOf(filter.session)
    this.#search = new SearchIn(context.names, filter.text)
    this.#text = filter.text?.toLowerCase()
  }
  get unsearched(): number {
    return this.#search.unsearched
  }
  /** Keys of the sessions asked for, where they are known: then nothing else has to be looked at. */
  sessionsOf(kind: string): ReadonlyArray<string> | undefined {
    if (this.#sessions === undefined) return undefined
    const keys: Array<string> = []
    for (const session of this.#sessions) {
      const slash = session.lastIndexOf("/")
      if (session.slice(0, slash) !== kind) continue
      const named = this.#context.names.known(kind, session.slice(slash + 1))
      if (named === undefined) return undefined
      keys.push(named.key)
    }
    return keys
  }
  isOfSession(kind: string, session: LiveSession): boolean {
    return this.#sessions === undefined || this.isOfHash(kind, this.#context.names.of(kind, session).hash)
  }
  isOfHash(kind: string, hash: string): boolean {
    return this.#sessions === undefined || this.#sessions.has(`${kind}/${hash}`)
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
  /** `secret`: whose task it is. Its name is what the wire has of it, so that what was seen there can be asked for. */
  count(
    task: AnyTask,
    kind: string,
    ofKind: boolean,
    now: number,
    secret: Secret,
    session: LiveSession | undefined,
    named?: Named,
  ): boolean {
    const { kind: type, queuedAt } = task
    const state = stateOf(task)
    let misses = ofKind ? 0 : 1
    const ofState = this.#states === undefined || this.#states.has(state)
    if (!ofState && ++misses > 1) return false
    const ofType = this.#types === undefined || this.#types.has(type)
    if (!ofType && ++misses > 1) return false
    const name = nameOf(task.name, secret)
    const ofName = this.#names === undefined || this.#names.has(name)
    if (!ofName && ++misses > 1) return false
    const { olderThanMs } = this.#filter
    if (olderThanMs !== undefined && now - queuedAt < olderThanMs) return false
    if (!this.#finds(name, task, kind, session, named)) return false
    if (misses === 0 || !ofState) this.#byState[state] = (this.#byState[state] ?? 0) + 1
    if (misses === 0 || !ofType) this.#byType[type] = (this.#byType[type] ?? 0) + 1
    if (misses === 0 || !ofKind) this.#ofThisKind++
    if ((misses === 0 || !ofName) && (this.#byName.size < mostNames || this.#byName.has(name)))
      this.#byName.set(name, (this.#byName.get(name) ?? 0) + 1)
    return misses === 0
  }
  #finds(
    name: string,
    task: AnyTask,
    kind: string,
    session: LiveSession | undefined,
    named: Named | undefined,
  ): boolean {
    const text = this.#text
    if (text === undefined || text === "") return true
    if (session !== undefined) {
      const { note } = task as Partial<LiveTask>
      return this.#search.finds(
        kind,
        session,
        name,
        note === undefined ? undefined : withoutKey(note, session),
      )
    }
    return (
      name.toLowerCase().includes(text) ||
      (named !== undefined &&
        (named.sought.includes(text) || (text.length >= 4 && named.hash.startsWith(text))))
    )
  }
  facets(): TaskWindow["facets"] {
    const names = [...this.#byName].toSorted((a, b) => b[1] - a[1]).slice(0, bounds.filterValues)
    return {
      state: this.#byState as TaskWindow["facets"]["state"],
      type: this.#byType as TaskWindow["facets"]["type"],
      kind: this.#byKind,
      name: names.map(([name, count]) => ({ name, count })),
    }
  }
}
