/** All that is known of one session, and of one task. */
import type { Explanation, LeaseInfo, SessionFact } from "@sojourn/core"
import { explanationInWords, type Inspection, type LiveTask } from "@sojourn/core/inspect"
import type { Named } from "../names/Names.ts"
import type { Fact, Generation, Lease, SessionDetail, SessionTask, TaskDetail } from "../protocol/sessions.ts"
import { bounds } from "../protocol/words.ts"
import { cleaned, withoutKey } from "../safety/text.ts"
import type { RowContext } from "./context.ts"
import { errorOf, sessionRow, type Loose } from "./sessionRow.ts"
import { endedTaskRow, nameOf, taskInfoRow, taskRef, taskRow } from "./taskRow.ts"

/** Undefined: nothing is known of it, or its registry cannot say so at once. */
export const sessionDetail = (
  inspection: Inspection,
  named: Named,
  context: RowContext,
): Loose<SessionDetail> | undefined => {
  const { name: kind } = inspection
  const explained = inspection.sessions.explain({
    name: kind,
    key: named.key,
    id: named.id,
    owner: named.owner,
    generation: 0,
    serial: 0,
  })
  if (explained instanceof Promise) {
    explained.catch(() => {})
    return undefined
  }
  const explanation = explained
  const session = inspection.find(named.key)
  if (session === undefined && explanation.history.length === 0 && explanation.ended === undefined)
    return undefined
  const live = new Map<string, LiveTask>()
  if (session !== undefined) for (const task of first(session.tasks(), bounds.list)) live.set(task.id, task)
  const history = explanation.history.map((fact): Fact => factOf(fact, named))
  return {
    session: (session === undefined
      ? closedRow(kind, named, explanation)
      : sessionRow(kind, session, context, named)) as SessionDetail["session"],
    words: cleaned(explanationInWords(harmless(explanation, named), inspection.now()), 4000),
    serial: explanation.session.serial,
    alive: explanation.alive.slice(0, bounds.list).map((lease) => leaseOf(lease, named)),
    aliveCount: explanation.alive.length,
    tasks: explanation.tasks.slice(0, bounds.list).map((task) => {
      const at = live.get(task.id)
      return {
        task: at === undefined ? taskInfoRow(kind, task, named) : taskRow(kind, at, named, context.names),
        waitsFor: task.waitsFor,
        behind: task.behind,
        waitEnds: task.waitEnds,
      } as SessionTask
    }),
    taskCount: explanation.tasks.length,
    ended: explanation.ended,
    restartsLeft: Number.isFinite(explanation.restarts.left)
      ? explanation.restarts.left
      : Number.MAX_SAFE_INTEGER,
    errors: explanation.errors.slice(-bounds.list).map((error) => errorOf(error, named)),
    history: history.slice(-bounds.list),
    generations: generationsOf(history).slice(-bounds.list),
  }
}

function* first<T>(items: Iterable<T>, most: number): Iterable<T> {
  let left = most
  for (const item of items) {
    if (left-- <= 0) return
    yield item
  }
}

/** Of a key that is only remembered. */
const closedRow = (kind: string, named: Named, { session, state, errors }: Explanation): unknown => {
  const error = errors.at(-1)
  return {
    row: `${kind}/${named.hash}`,
    kind,
    hash: named.hash,
    shown: named.shown,
    state,
    generation: session.generation,
    running: 0,
    queued: 0,
    leases: 0,
    turns: 0,
    losses: 0,
    failedOpens: 0,
    error: error === undefined ? undefined : errorOf(error, named),
    abandoned: 0,
    warnings: 0,
    pinned: false,
  }
}

const leaseOf = ({ expiresAt, kind, name, progressAt, since }: LeaseInfo, named: Named): Lease =>
  ({ kind, name: nameOf(name, named), since, progressAt, expiresAt }) as Lease

const renamed = <T extends { readonly name: string }>(one: T, named: Named): T => ({
  ...one,
  name: nameOf(one.name, named),
})

/** The same without a key: what it says of itself in words is made of this. */
const harmless = (explanation: Explanation, named: Named): Omit<Explanation, "toString"> => ({
  session: { ...explanation.session, key: named.shown ?? named.hash, id: "", owner: undefined },
  state: explanation.state,
  alive: explanation.alive.slice(0, 5).map((lease) => renamed(lease, named)),
  closesAt: explanation.closesAt,
  ended: explanation.ended,
  tasks: explanation.tasks.slice(0, 10).map((task) => renamed(task, named)),
  restarts: explanation.restarts,
  errors: explanation.errors
    .slice(-1)
    .map((error) => ({ at: error.at, in: error.in, error: errorOf(error, named).text })),
  history: [],
})

const factOf = ({ at, detail, generation, serial, what }: SessionFact, named: Named): Fact => ({
  at,
  generation,
  serial,
  what,
  ...(detail !== undefined && { detail: cleaned(withoutKey(detail, named), bounds.text) }),
})

/** Facts of one serial are those of one generation. */
const generationsOf = (history: ReadonlyArray<Fact>): ReadonlyArray<Generation> => {
  const found = new Map<number, { -readonly [K in keyof Generation]: Generation[K] }>()
  for (const { at, detail, generation, serial, what } of history) {
    if (serial === 0) continue
    let one = found.get(serial)
    if (one === undefined) found.set(serial, (one = { generation, serial, failed: false }))
    switch (what) {
      case "Opening":
        one.openingAt = at
        break
      case "Opened":
        one.openedAt = at
        break
      case "Closing":
        one.closingAt = at
        if (detail !== undefined) one.end = detail
        break
      case "Closed":
        one.closedAt = at
        if (detail !== undefined) one.end ??= detail
        break
      case "OpenFailed":
      case "Lost":
        one.failed = true
        if (detail !== undefined) one.end ??= detail
        break
      default:
    }
  }
  return [...found.values()]
}

/** Undefined: there is no such task, and it is not among the last that ended. */
export const taskDetail = (
  inspection: Inspection,
  id: string,
  context: RowContext,
): Loose<TaskDetail> | undefined => {
  const { name: kind } = inspection
  let task: LiveTask | undefined
  inspection.each((session) => {
    if (session.running === 0 && session.queued === 0) return true
    task = session.task(id)
    return task === undefined
  })
  if (task === undefined) return endedDetail(inspection, id, context)
  const session = task.session
  const named = context.names.of(kind, session)
  const queued = task.state === "queued" ? waitOf(inspection, named, id) : undefined
  return {
    task: taskRow(kind, task, named, context.names) as TaskDetail["task"],
    session: sessionRow(kind, session, context, named) as TaskDetail["session"],
    waitsFor: queued?.waitsFor,
    behind: queued?.behind,
    peers: peersOf(inspection, task.name),
    children: [...first(task.calls(), bounds.list)].map((call) => {
      const of = call.session.ref.name
      return taskRow(of, call, context.names.of(of, call.session), context.names)
    }) as unknown as TaskDetail["children"],
    stop: stopOf(task, context) as TaskDetail["stop"],
    stack: task.stack?.slice(0, bounds.list).map((line) => cleaned(withoutKey(line, named), bounds.text)),
  }
}

const waitOf = (
  inspection: Inspection,
  named: Named,
  id: string,
): Explanation["tasks"][number] | undefined => {
  const { id: own, key, owner } = named
  const explained = inspection.sessions.explain({
    name: inspection.name,
    key,
    id: own,
    owner,
    generation: 0,
    serial: 0,
  })
  return explained instanceof Promise ? undefined : explained.tasks.find((task) => task.id === id)
}

const endedDetail = (
  inspection: Inspection,
  id: string,
  context: RowContext,
): Loose<TaskDetail> | undefined => {
  const { name: kind } = inspection
  for (const ended of inspection.recent()) {
    if (ended.id !== id) continue
    const named = context.names.ofKey(kind, ended.key)
    const session = inspection.find(ended.key)
    return {
      task: endedTaskRow(kind, ended, named, context.names) as TaskDetail["task"],
      session:
        session === undefined
          ? undefined
          : (sessionRow(kind, session, context, named) as TaskDetail["session"]),
      waitsFor: undefined,
      behind: undefined,
      peers: peersOf(inspection, ended.name),
      children: [],
      stop: stopOf(ended, context) as TaskDetail["stop"],
      stack: undefined,
    }
  }
  return undefined
}

const peersOf = (inspection: Inspection, name: string): TaskDetail["peers"] => {
  let found: TaskDetail["peers"]
  for (const { name: other, runs, started } of inspection.tasks()) {
    if (other !== name && (other !== "other" || found !== undefined)) continue
    found = {
      name: cleaned(other, bounds.name),
      started,
      ...(runs.count > 0 && { p50Ms: runs.quantile(0.5), p95Ms: runs.quantile(0.95) }),
    }
    if (other === name) break
  }
  return found
}

const stopOf = ({ stop }: Pick<LiveTask, "stop">, { names }: RowContext): unknown => {
  if (stop === undefined) return undefined
  return {
    ...stop,
    from: stop.from.slice(0, bounds.list).map(({ by, closeReason, reason, task: from }) => ({
      task: taskRef(from, names),
      by,
      closeReason,
      reason,
    })),
  }
}
