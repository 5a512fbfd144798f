/** Hostile users: they carry out their plans against the public API, whatever the engine tells them. */
import { resolveKey } from "../../src/SessionKey.ts"
import type { Lease, Session, Task } from "../../src/Sessions.ts"
import type { Thing } from "../support/ledger.ts"
import type { VirtualClock } from "../support/VirtualClock.ts"
import { nameOf, type Book, type Call, type Holder, type Site } from "./Book.ts"
import type { Ask, Program, Step, Verb } from "./plans.ts"
import { chainOf } from "./reentryLaw.ts"

export interface Universe {
  readonly book: Book
  readonly clock: VirtualClock
  readonly sites: ReadonlyArray<Site>
  readonly seed: number
}
type Held = Lease<Session<Thing>>

const unending = (): Promise<never> => new Promise(() => {})
const abortOf = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })

export const siteOf = (universe: Universe, index: number): Site =>
  universe.sites[index % universe.sites.length] as Site

/** Hands in a call and follows it to its end. Never rejects: `call.told` has the outcome. */
export const ask = async (
  universe: Universe,
  wish: Ask,
  parent: Holder | undefined,
  awaited: boolean,
  lease?: Held,
): Promise<Call> => {
  const { book, clock } = universe
  const site = siteOf(universe, wish.at)
  const call = book.call({
    kind: lease === undefined && wish.how === "lease" ? "lease" : "run",
    site,
    key: lease?.session.key ?? resolveKey(wish.key).canonical,
    ask: wish,
    program: wish.program,
    parent: wish.detach && wish.how === "run" ? undefined : parent,
    awaited,
    boundTo: lease?.session.serial,
  })
  const from = parent?.call === undefined ? "" : ` from ${parent.call.number}`
  book.note(
    `${nameOf(call)}${from}: ${JSON.stringify({ ...wish, at: undefined, key: undefined, how: undefined })}`,
  )
  const controller = new AbortController()
  const abort = (): void => {
    const reason = new Error(`abort ${call.number}`)
    call.aborted ??= { at: clock.now, reason }
    controller.abort(call.aborted.reason)
  }
  if (wish.abortAfter === -1) abort()
  else if (wish.abortAfter !== undefined) void clock.after(wish.abortAfter).then(abort)
  const signal = wish.abortAfter === undefined ? undefined : controller.signal
  const options = {
    signal,
    timeout: wish.timeout,
    whenBusy: wish.whenBusy,
    detach: wish.detach,
    mustExist: wish.mustExist,
  }
  book.pending = call
  let promise: Promise<unknown>
  if (call.kind === "lease") promise = site.sessions.lease(wish.key, { signal, mustExist: wish.mustExist })
  else if (lease !== undefined) promise = lease.run(work(universe, call), options)
  else promise = site.sessions.run(wish.key, work(universe, call), options)
  book.pending = undefined
  let settled = 0
  const told = (fulfilled: boolean, value: unknown): void => {
    book.expect(++settled === 1, `L5 ${nameOf(call)} was told twice`)
    call.told = { fulfilled, value, at: clock.now }
    // A lease that is over refuses before anything is handed in; a fiber that is interrupted at once never starts.
    if (call.task === undefined && (lease !== undefined || book.fibers))
      call.outcome = { is: "rejected", value, at: clock.now }
    if (fulfilled && call.kind === "lease") void holdLease(universe, call, value as Held, parent)
  }
  await promise.then(
    (value) => told(true, value),
    (error: unknown) => told(false, error),
  )
  return call
}

/** `from`: what is done with a lease belongs to whom it was taken by. */
const holdLease = async (
  universe: Universe,
  call: Call,
  lease: Held,
  from: Holder | undefined,
): Promise<void> => {
  const { clock } = universe
  const wish = call.ask
  if (wish === undefined) return
  call.lease = lease
  for (const use of wish.within) {
    await clock.after(100)
    if (use === "progress") lease.progress()
    else
      await ask(
        universe,
        { ...wish, program: use, detach: false, abortAfter: undefined, timeout: undefined },
        from,
        true,
        lease,
      )
  }
  if (wish.hold === undefined) return
  await clock.after(wish.hold)
  await lease.release()
}

/** The function a user hands in. */
const work = (universe: Universe, call: Call) => (thing: Thing, task: Task) =>
  body(universe, call, thing.serial, thing, task)

export const body = (universe: Universe, call: Call, serial: number, thing: Thing, task: Task): unknown => {
  const { book, clock } = universe
  const { program } = call
  call.starts++
  book.expect(call.starts === 1, `L12 ${nameOf(call)} was started ${call.starts} times`)
  const life = book.lives.find((each) => each.site === call.site && each.generation.serial === serial)
  call.life = life
  life?.bodies.add(call)
  book.note(`${nameOf(call)} starts on #${serial}`)
  book.expect(
    call.boundTo === undefined || call.boundTo === serial,
    `L8 ${nameOf(call)} of a lease ran on another generation`,
  )
  book.expect(life?.wasAborting === false, `L1 ${nameOf(call)} is served by an aborted open`)
  if (life !== undefined) countBodies(book, call, life)
  if (program.onAbort !== "ignore" || call.number % 2 === 0) watchStop(universe, call, task)
  const value = { of: call.number }
  const failure = new Error(`own ${call.number}`)
  const ended = (returned: boolean, result: unknown): void => {
    call.ended = { returned, value: result, at: clock.now }
    life?.bodies.delete(call)
    book.note(`${nameOf(call)} ${returned ? "returns" : "throws"}`)
  }
  if (program.sync) {
    for (const step of program.steps) if (isQuick(step)) void perform(universe, call, thing, task, step)
    ended(program.end !== "throw", program.end === "throw" ? failure : value)
    if (program.end === "throw") throw failure
    return value
  }
  return (async () => {
    try {
      const result = await carryOut(universe, call, thing, task, value, failure)
      ended(true, result)
      return result
    } catch (error) {
      ended(false, error)
      throw error
    }
  })()
}
const isQuick = (step: Step): boolean => step.do !== "sleep" && !(step.do === "ask" && step.await)

/** Those abandoned hold no slot any more; nobody else may be more than `concurrency`. */
const countBodies = (book: Book, call: Call, life: NonNullable<Call["life"]>): void => {
  const { concurrency } = call.site.registry.policy
  let slots = 0
  for (const other of life.bodies) if (other.task?.beside === false && !other.task.abandoned) slots++
  book.expect(
    slots <= concurrency,
    () => `L6 ${slots} bodies overlap on #${life.generation.serial}, concurrency ${concurrency}`,
  )
}

const watchStop = (universe: Universe, call: Call, task: Task): void => {
  const { signal } = task
  void abortOf(signal).then(() => {
    call.stopSeen ??= { at: universe.clock.now, reason: signal.reason }
  })
}

const carryOut = async (
  universe: Universe,
  call: Call,
  thing: Thing,
  task: Task,
  value: unknown,
  failure: Error,
): Promise<unknown> => {
  const { clock } = universe
  const { program } = call
  const stopping = (): boolean => program.onAbort !== "ignore" && task.signal.aborted
  const stopped = (): unknown => {
    if (program.onAbort === "return") return value
    throw task.signal.reason
  }
  const pause = (wait: Promise<unknown>): Promise<unknown> =>
    program.onAbort === "ignore" ? wait : Promise.race([wait, abortOf(task.signal)])
  for (const step of program.steps) {
    if (stopping()) return stopped()
    if (step.do === "sleep") await pause(clock.after(step.ms))
    else await pause(perform(universe, call, thing, task, step))
  }
  if (stopping()) return stopped()
  switch (program.end) {
    case "return":
      return value
    case "throw":
      throw failure
    case "hang":
      await pause(unending())
      return stopped()
    case "late":
      await clock.after(20_000)
      return value
  }
}

const perform = async (
  universe: Universe,
  call: Call,
  thing: Thing,
  task: Task,
  step: Step,
): Promise<void> => {
  const { book, clock } = universe
  const { holder } = call
  switch (step.do) {
    case "work":
      return
    case "progress":
    case "close":
    case "restart": {
      const verb = step.do
      return live(book, call, () => {
        book.note(`${nameOf(call)}: task.${verb}()`)
        task[verb]()
      })
    }
    case "broken":
      book.note(`${nameOf(call)}: broken`)
      if (call.life !== undefined) call.life.declared = true
      return call.number % 3 === 0 ? thing.opening.broken("bad") : task.broken("bad")
    case "end":
      book.note(`${nameOf(call)}: end`)
      return thing.opening.end()
    case "background":
      return live(book, call, () => startBackground(universe, call, thing, task, step.program))
    case "ask": {
      const asked = ask(universe, step.ask, holder, step.await && !step.ask.detach)
      if (!step.await) return
      const nested = await asked
      if (step.pass && nested.told?.fulfilled === false) throw nested.told.value
      return
    }
    case "later":
      return void clock.after(step.ms).then(() => ask(universe, step.ask, holder, false))
    case "drain":
      return drain(universe, call.site, 500, holder)
    case "verb":
      return verb(universe, step.verb, siteOf(universe, step.at), step.key, 0, holder)
    case "sleep":
  }
}
/** A task's own functions throw once it is over, and only then. */
const live = (book: Book, call: Call, use: () => void): void => {
  try {
    use()
  } catch (error) {
    if (call.task?.state !== "ended")
      book.broken(`L2 a function of the running ${nameOf(call)} threw ${String(error)}`)
  }
}

const startBackground = (universe: Universe, by: Call, thing: Thing, task: Task, program: Program): void => {
  const { book } = universe
  const call = book.call({
    kind: "background",
    site: by.site,
    key: by.key,
    ask: undefined,
    program,
    parent: undefined,
    awaited: false,
    boundTo: undefined,
  })
  book.pending = call
  try {
    const accepted = task.background("background", (own) => body(universe, call, thing.serial, thing, own))
    if (accepted) book.note(`${nameOf(by)}: ${nameOf(call)}`)
  } finally {
    book.pending = undefined
  }
}

export const verb = async (
  universe: Universe,
  what: Verb,
  site: Site,
  key: Ask["key"],
  within: number,
  from: Holder | undefined,
): Promise<void> => {
  const { book, clock } = universe
  const { canonical } = resolveKey(key)
  book.note(
    `${what} ${site.index}/${canonical} within ${within}${from === undefined ? "" : ` from ${from.call?.number ?? from.kind}`}`,
  )
  if (what === "cancel") return void (await site.sessions.cancel(key))
  const before = book.calls.filter(
    (call) => call.site === site && call.key === canonical && call.task?.state === "queued",
  )
  const closer = {
    site,
    key: canonical,
    what,
    asked: clock.now,
    within,
    before,
    report: undefined,
    refused: false,
    done: false,
  }
  const entry: Book["closers"][number] = closer
  const own = chainOf(from).some((holder) => holder.site === site && holder.key === canonical)
  book.closers.push(entry)
  try {
    entry.report = await site.sessions[what](key, within === 0 ? undefined : { finishWithin: within })
  } catch (error) {
    entry.refused = true
    book.note(`${what} ${site.index}/${canonical} is refused`)
    book.expect(String(error).includes("SessionMisuse"), `L7 ${what} rejected with ${String(error)}`)
    book.expect(own, `L7 ${what} of ${canonical} was refused, but it could be served`)
  }
  book.expect(entry.refused || !own, `L7 ${what} of ${canonical} was accepted inside its own turn`)
  entry.done = true
}

export const drain = async (
  universe: Universe,
  site: Site,
  within: number,
  from: Holder | undefined,
): Promise<void> => {
  const { book, clock } = universe
  book.note(`drain ${site.index} within ${within}`)
  const entry: Site["drains"][number] = { asked: clock.now, within, report: undefined }
  const own = chainOf(from).some((holder) => holder.site === site)
  if (from === undefined) site.drains.push(entry)
  try {
    const report = await site.sessions.drain({ finishWithin: within })
    entry.report = report
    book.note(
      `drained ${site.index}: ${JSON.stringify({ ...report, cut: report.cut.length, leaked: report.leaked.length })}`,
    )
  } catch {
    book.expect(own, `L7 drain of ${site.index} was refused, but it could be served`)
    return
  }
  book.expect(!own, `L7 drain of ${site.index} was accepted inside its own turn`)
}
