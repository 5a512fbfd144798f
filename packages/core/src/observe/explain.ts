/** `explain`: one object for code, HTTP, dashboard and command line, and the paragraph it reads as (L18). */
import type { ResolvedKey, SessionRef } from "../SessionKey.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Session } from "../session/Session.ts"
import { brief, harmless } from "./brief.ts"
import { factsUpTo } from "./FlightRecorder.ts"
import { taskInfo } from "./taskInfo.ts"
import type { Task } from "../task/Task.ts"
import type { Explanation, LeaseInfo, SessionState } from "./Explanation.ts"

export const publicState = (session: Session): SessionState => {
  switch (session.state) {
    case "Dormant":
      return "Closed"
    case "Stopping":
      return session.next === "reopen" ? "Restarting" : "Closing"
    case "Waiting":
    case "Backoff":
    case "Opening":
    case "Ready":
    case "Quarantined":
      return session.state
  }
}

export const explain = (session: Session): Explanation => {
  const { registry } = session
  const { policy, epochOf } = registry
  const { cold, generation } = session
  const end = registry.ends.get(session.key)
  const now = registry.time.now()
  const tasks: Array<Explanation["tasks"][number]> = []
  for (const task of generation?.running ?? [])
    tasks.push({ ...taskInfo(task, session.ref), waitsFor: undefined, behind: 0, waitEnds: undefined })
  for (const list of [session.arrivals, session.queue]) {
    let behind = session.state === "Waiting" ? registry.seats.place(session) : (generation?.slotsTaken ?? 0)
    for (const task of list ?? [])
      tasks.push({
        ...taskInfo(task, session.ref),
        waitsFor: waitsFor(session),
        behind: behind++,
        waitEnds: waitEnds(task),
      })
  }
  const failures = (cold?.failures ?? []).filter((at) => now - at <= policy.restart.within)
  const outage = registry.breaker.refusal(session, now)
  const nextAt = Math.max(
    cold?.retryAt ?? 0,
    session.state === "Quarantined" ? (cold?.until ?? 0) : 0,
    generation === undefined && outage !== undefined ? now + outage.retryAfter : 0,
  )
  const explanation: Omit<Explanation, "toString"> = {
    session: session.ref,
    state: publicState(session),
    alive: aliveBy(session),
    closesAt: session.idle && policy.idleTimeout !== Infinity ? epochOf(session.dueAt) : undefined,
    ended: end && { at: end.at, reason: end.reason },
    tasks,
    restarts: {
      // On trial, and while it waits for one, a single loss quarantines it again.
      left: cold?.trial === true ? 0 : Math.max(0, policy.restart.times - failures.length),
      nextAt: nextAt > now ? epochOf(nextAt) : undefined,
    },
    errors: [...(cold?.errors ?? end?.errors ?? [])],
    history: [...registry.recorder.history(session)],
  }
  return { ...explanation, toString: () => inWords(explanation, registry.time.epoch()) }
}

/** Of a key without a session. */
export const explainUnseen = (registry: Registry, key: ResolvedKey): Explanation => {
  const end = registry.ends.get(key.canonical)
  const now = registry.time.now()
  const outage = registry.breaker.refusal(undefined, now)
  const session: SessionRef = {
    name: registry.name,
    key: key.canonical,
    id: key.id,
    owner: key.owner,
    generation: 0,
    serial: 0,
  }
  const explanation: Omit<Explanation, "toString"> = {
    session,
    state: "Closed",
    alive: [],
    closesAt: undefined,
    ended: end && { at: end.at, reason: end.reason },
    tasks: [],
    restarts: {
      left: registry.policy.restart.times,
      nextAt: outage === undefined ? undefined : registry.epochOf(now + outage.retryAfter),
    },
    errors: [...(end?.errors ?? [])],
    history: end === undefined ? [] : [...factsUpTo(end)],
  }
  return { ...explanation, toString: () => inWords(explanation, registry.time.epoch()) }
}

const waitsFor = (session: Session): Explanation["tasks"][number]["waitsFor"] => {
  switch (session.state) {
    case "Waiting":
      return "seat"
    case "Backoff":
      return "backoff"
    case "Opening":
      return "open"
    case "Stopping":
      return session.generation?.cold?.shut === undefined ? "restart" : "leak"
    case "Ready":
      if (session.generation?.cold?.barrier !== undefined) return "restart"
      return session.generation?.cold?.probe?.asked === undefined ? "turn" : "probe"
    case "Dormant":
    case "Quarantined":
      return undefined
  }
}

/** The first of its clocks. */
const waitEnds = (task: Task): Explanation["tasks"][number]["waitEnds"] => {
  const clocks = [
    { clock: "timeout", entry: task.extras?.timeout },
    { clock: "seat", entry: task.extras?.seat },
    { clock: "queue", entry: task },
  ] as const
  let ends: Explanation["tasks"][number]["waitEnds"]
  for (const { clock, entry } of clocks) {
    if (entry?.list === undefined) continue
    const at = task.registry.epochOf(entry.dueAt)
    if (ends === undefined || at < ends.at) ends = { clock, at }
  }
  return ends
}

const aliveBy = (session: Session): ReadonlyArray<LeaseInfo> => {
  const { registry, generation } = session
  const { epochOf } = registry
  const alive: Array<LeaseInfo> = []
  for (const task of generation?.running ?? []) {
    alive.push({
      kind: task.kind === "lease" ? "turn" : task.kind,
      name: task.name,
      since: epochOf(task.startedAt),
      progressAt: epochOf(task.progressAt),
      expiresAt: task.silence === Infinity ? undefined : epochOf(task.progressAt + task.silence),
    })
  }
  for (const lease of generation?.cold?.leases ?? []) alive.push(registry.leases.info(lease))
  const waiter = (task: Task): LeaseInfo => ({
    kind: "waiter",
    name: task.name,
    since: epochOf(task.queuedAt),
    progressAt: epochOf(task.queuedAt),
    expiresAt: task.list === undefined ? undefined : epochOf(task.dueAt),
  })
  for (const list of [session.arrivals, session.queue])
    for (const task of list ?? []) alive.push(waiter(task))
  return alive
}

const lasting = (ms: number): string => {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}

/** A paragraph for people. `now`: epoch milliseconds. */
export const inWords = (of: Omit<Explanation, "toString">, now: number): string => {
  const lines = [`${harmless(of.session.name)}: session ${harmless(of.session.key)} is ${of.state}`]
  lines[0] += of.session.generation > 0 ? ` (generation ${of.session.generation}).` : "."
  for (const one of of.alive) {
    const until =
      one.expiresAt === undefined
        ? ""
        : `, at most ${lasting(one.expiresAt - now)} more${one.kind === "waiter" ? "" : " without a sign of life"}`
    const what = one.kind === "waiter" ? "Waited for by" : "Kept alive by"
    lines.push(
      `${what} ${one.kind === "waiter" ? "" : `${one.kind} `}"${harmless(one.name)}" for ${lasting(now - one.since)}${until}.`,
    )
  }
  for (const task of of.tasks) {
    if (task.waitsFor === undefined) continue
    const ahead = task.behind === 0 ? "" : `, ${task.behind} ahead of it`
    const most =
      task.waitEnds === undefined
        ? ""
        : `, at most ${lasting(task.waitEnds.at - now)} more (${clocks[task.waitEnds.clock]})`
    lines.push(`"${harmless(task.name)}" waits for ${phases[task.waitsFor]}${ahead}${most}.`)
  }
  if (of.closesAt !== undefined)
    lines.push(`Idle; closes in ${lasting(of.closesAt - now)} unless it is used.`)
  if (of.restarts.nextAt !== undefined)
    lines.push(`Not opened before ${lasting(of.restarts.nextAt - now)} from now.`)
  if (of.ended !== undefined)
    lines.push(`Its last generation ended ${lasting(now - of.ended.at)} ago: ${of.ended.reason}.`)
  const error = of.errors.at(-1)
  if (error !== undefined) lines.push(`Last error, in ${error.in}: ${harmless(brief(error.error))}.`)
  return lines.join(" ")
}
const phases: Readonly<Record<NonNullable<Explanation["tasks"][number]["waitsFor"]>, string>> = {
  seat: "a place among maxSessions",
  backoff: "the delay after a failed opening",
  open: "the opening",
  turn: "its turn",
  probe: "a probe of the resource",
  restart: "the next generation",
  leak: "the end of an abandoned generation",
}
const clocks = { timeout: "its timeout", queue: "timeouts.queue", seat: "timeouts.seat" } as const
