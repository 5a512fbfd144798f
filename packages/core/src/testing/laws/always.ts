/** What must hold whenever a step has been carried out: the engine's own books agree, and nobody was forgotten. */
import type { Generation } from "../../session/Generation.ts"
import type { LifeState, Session } from "../../session/Session.ts"
import type { Task } from "../../task/Task.ts"
import type { Timed } from "../../time/Timetable.ts"
import { lifeName, nameOf, type Book, type Call, type Life, type Site } from "./Book.ts"

export const checkAlways = (book: Book, site: Site): void => {
  const { registry } = site
  book.expect(registry.monitor.defects === 0, "L20 a mistake of the engine was caught")
  let seated = 0
  let inService = 0
  let line = 0
  let backingOff = 0
  const byState = new Map<LifeState, number>(
    (["Waiting", "Backoff", "Opening", "Ready", "Stopping", "Quarantined"] as const).map((state) => [
      state,
      0,
    ]),
  )
  let queued = 0
  let running = 0
  let stopping = 0
  let oldest = Infinity
  const owners = new Map<string, number>()
  for (const session of registry.sessions.values()) {
    if (session.seated) {
      seated++
      if (session.owner !== undefined) owners.set(session.owner, (owners.get(session.owner) ?? 0) + 1)
    }
    if (session.generation?.gone === false) inService++
    if (session.state === "Waiting") line++
    if (session.state === "Backoff") backingOff++
    if (session.state !== "Dormant") byState.set(session.state, (byState.get(session.state) ?? 0) + 1)
    for (const list of [session.queue, session.arrivals])
      for (const task of list ?? []) if (task.kind !== "lease") queued++
    running += session.generation?.running?.size ?? 0
    for (let task = session.generation?.running?.first; task !== undefined; task = task.behind) {
      if (task.state === "stopping") stopping++
      oldest = Math.min(oldest, task.startedAt)
    }
    checkSession(book, site, session)
  }
  const { maxPerOwner, maxSessions } = registry.policy
  book.expect(
    registry.seats.taken === seated,
    `L9 seats.taken is ${registry.seats.taken}, ${seated} sessions are seated`,
  )
  book.expect(seated <= maxSessions, `L9 ${seated} seats of ${maxSessions}`)
  for (const [owner, seats] of owners)
    book.expect(seats <= maxPerOwner, `L9 ${owner} has ${seats} seats of ${maxPerOwner}`)
  book.expect(
    registry.closing.inService === inService,
    `L3 inService is ${registry.closing.inService}, ${inService} generations are`,
  )
  book.expect(
    registry.seats.waiting === line,
    `L9 ${registry.seats.waiting} in line, ${line} sessions are waiting`,
  )
  book.expect(
    registry.opening.backingOff === backingOff,
    `L10 backingOff is ${registry.opening.backingOff}, ${backingOff} are`,
  )
  const { monitor, states } = registry
  for (const [state, count] of byState)
    book.expect(
      states[state] === count,
      `L16 ${states[state]} sessions are counted as ${state}, ${count} are`,
    )
  book.expect(monitor.queued === queued, `L16 ${monitor.queued} tasks are counted as queued, ${queued} are`)
  book.expect(
    monitor.running === running,
    `L16 ${monitor.running} tasks are counted as running, ${running} are`,
  )
  book.expect(
    monitor.toldToStop === stopping,
    `L16 ${monitor.toldToStop} tasks are counted as told to stop, ${stopping} are`,
  )
  const first = monitor.started.oldest?.startedAt ?? Infinity
  book.expect(first === oldest, `L16 the oldest task is said to run since ${first}, it does since ${oldest}`)
  if (line > 0 && registry.seats.shut === undefined) checkLine(book, site, seated, owners)
  checkLives(book, site)
  checkTasks(book, site)
}

const hasGeneration = new Set(["Opening", "Ready", "Stopping"])
const hasSeat = new Set(["Backoff", "Opening", "Ready", "Stopping"])

const checkSession = (book: Book, site: Site, session: Session): void => {
  const { generation, state } = session
  const { registry } = site
  const name = `${site.index}/${session.key}`
  book.expect(
    (generation !== undefined) === hasGeneration.has(state),
    `L3 ${name} is ${state} with generation ${generation?.serial}`,
  )
  // Kept shut by what has leaked, it has given its seat back.
  const shut = generation?.cold?.shut !== undefined
  book.expect(
    session.seated === (hasSeat.has(state) && !shut),
    `L9 ${name} is ${state} and ${session.seated ? "has a seat" : "has no seat"}`,
  )
  const { eager } = registry.policy.restart
  if (state === "Waiting" || ((state === "Backoff" || state === "Opening") && !eager)) {
    book.expect(session.waiting > 0, `L1 ${name} is ${state} for nobody`)
  }
  if (state === "Dormant" || state === "Quarantined")
    book.expect(session.waiting === 0, `L5 ${name} is ${state} and waited for`)
  book.expect(
    (session.list === registry.idle) === (session.idle && registry.phase === "accepting"),
    `L8 ${name}: in the list of idle ones ${session.list === registry.idle}, idle ${session.idle}`,
  )
  if (state !== "Ready" || generation === undefined) return
  checkServing(book, session, generation, name)
}

const checkServing = (book: Book, session: Session, generation: Generation, name: string): void => {
  const { concurrency } = session.registry.policy
  const running = [...(generation.running ?? [])]
  const slots = running.filter((task) => !task.beside).length
  const leases = generation.cold?.leases?.size ?? 0
  book.expect(
    generation.slotsTaken === slots,
    `L6 ${name}: slotsTaken is ${generation.slotsTaken}, ${slots} are held`,
  )
  book.expect(
    generation.inUse === running.length + leases,
    `L8 ${name}: inUse is ${generation.inUse}, ${running.length} run, ${leases} leases`,
  )
  book.expect(
    slots + generation.slotsLost <= concurrency,
    `L6 ${name}: ${slots} taken and ${generation.slotsLost} lost of ${concurrency}`,
  )
  const lost = book.byGeneration.get(generation)?.slotsLost
  book.expect(
    generation.slotsLost === lost,
    `L6 ${name}: slotsLost is ${generation.slotsLost}, ${lost} turns were abandoned`,
  )
  book.expect(generation.slotsLost < concurrency, `L13 ${name} has lost every slot and is still in service`)
  const { barrier, probe } = generation.cold ?? {}
  const probed =
    probe !== undefined && session.registry.probes.holds(generation, probe, session.registry.time.now())
  if (barrier === undefined && !probed) {
    book.expect(session.arrivals === undefined, `L5 ${name}: one beside the turns waits although it is ready`)
    const free = slots + generation.slotsLost < concurrency
    book.expect(!(free && session.queue !== undefined), `L6 ${name}: a turn waits and a slot is free`)
  }
}

/** L9: no free seat, and no idle session, while somebody waits in line. */
const checkLine = (book: Book, site: Site, seated: number, owners: ReadonlyMap<string, number>): void => {
  const { registry } = site
  const { maxPerOwner, maxSessions } = registry.policy
  const sessions = [...registry.sessions.values()]
  const waiting = sessions.filter((session) => session.state === "Waiting")
  const isFull = (session: Session): boolean =>
    session.owner !== undefined && (owners.get(session.owner) ?? 0) >= maxPerOwner
  const eligible = waiting.filter((session) => !isFull(session))
  book.expect(
    eligible.length === 0 || seated >= maxSessions,
    () => `L9 ${eligible.map((session) => session.key).join()} waits and a seat is free`,
  )
  const going = sessions.filter(
    (session) => session.seated && session.state === "Stopping" && session.next !== "reopen",
  )
  const idle = sessions.filter((session) => session.idle)
  book.expect(
    idle.length === 0 || going.length >= eligible.length,
    () =>
      `L9 ${idle.map((session) => session.key).join()} is idle while ${eligible.length} wait and ${going.length} are going`,
  )
  for (const session of waiting) {
    if (!isFull(session)) continue
    const ofOwner = (other: Session): boolean => other.owner === session.owner
    const coming = going.filter(ofOwner).length
    book.expect(
      coming > 0 || !idle.some(ofOwner),
      `L9 ${session.key} waits although its owner has an idle session`,
    )
  }
}

const clocksOf = (generation: Generation): ReadonlyArray<Timed | undefined> => {
  const { cold } = generation
  if (cold === undefined) return []
  const { barrier, closeDeadline, needGrace, openDeadline, openGrace, stopGrace } = cold
  return [barrier?.deadline, closeDeadline, needGrace, openDeadline, openGrace, stopGrace]
}

const checkLives = (book: Book, site: Site): void => {
  const now = book.now()
  for (const life of book.lives) {
    if (life.site !== site || life.goneAt !== undefined) continue
    const { generation } = life
    const { session } = generation
    if (generation.phase === "aborting") life.wasAborting = true
    if (generation.gone) {
      life.goneAt = now
      checkGone(book, life)
      continue
    }
    book.expect(
      session.generation === generation,
      `L3 ${lifeName(life)} is ${generation.phase}, but its session has another`,
    )
    if (generation.phase === "live") {
      const busy = generation.inUse > 0 || session.waiting > 0
      if (busy || life.wasBusy) life.busyAt = now
      life.wasBusy = busy
    }
    if (session.waiting === 0) life.neededSince = undefined
    else life.neededSince ??= now
  }
}
const checkGone = (book: Book, life: Life): void => {
  const { generation } = life
  for (const finalizer of life.finalizers) {
    book.expect(
      finalizer.starts === 1,
      `L4 ${lifeName(life)} is ${generation.phase}, finalizer ${finalizer.number} was started ${finalizer.starts} times`,
    )
  }
  const running = life.finalizers.some((finalizer) => finalizer.endedAt === undefined)
  const outstanding = !life.openEnded || life.bodies.size > 0 || running
  if (generation.phase === "closed")
    book.expect(!outstanding, `L4 ${lifeName(life)} counts as closed, but something of it still runs`)
  for (const clock of clocksOf(generation))
    book.expect(clock?.list === undefined, `L23 ${lifeName(life)} is gone, but a clock of it runs`)
}

const checkTasks = (book: Book, site: Site): void => {
  for (const [task, call] of book.byTask) {
    if (call.site !== site) continue
    if (task.state === "queued" && task.outcome === undefined) checkQueued(book, call, task)
    if (task.outcome === undefined) continue
    const { extras } = task
    book.expect(
      extras?.timeout?.list === undefined && extras?.seat?.list === undefined,
      `L23 ${nameOf(call)} was told, but its clocks run`,
    )
    book.expect(
      extras?.unlisten === undefined,
      `L23 ${nameOf(call)} was told, but still listens to its signal`,
    )
    if (task.state !== "ended") continue
    book.expect(
      task.list === undefined && extras?.hangGrace?.list === undefined,
      `L23 ${nameOf(call)} has ended, but its clock runs`,
    )
    if (call.ended !== undefined || task.generation === undefined || call.kind === "lease")
      book.byTask.delete(task)
  }
}
/** L5: each wait has a clock. */
const checkQueued = (book: Book, call: Call, task: Task): void => {
  const { session } = task
  if (session === undefined) return
  book.expect(task.list !== undefined, `L5 ${nameOf(call)} waits without a clock`)
  if (session.state === "Waiting")
    book.expect(task.extras?.seat?.list !== undefined, `L9 ${nameOf(call)} waits in line without a clock`)
  book.expect(
    session.registry.sessions.get(session.key) === session,
    `L5 ${nameOf(call)} waits for a session that was forgotten`,
  )
}
