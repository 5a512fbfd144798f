/** Hostile users: they carry out their plans against the public API, whatever the engine tells them. */
import { resolveKey } from "../../SessionKey.ts"
import type { Lease, Session, Task } from "../../Sessions.ts"
import type { Thing } from "./world.ts"
import { nameOf, type Book, type Call, type Holder } from "./Book.ts"
import { countBodies, live, watchStop } from "./bodyLaws.ts"
import type { Ask, Program, Step } from "./plans.ts"
import { abortOf, siteOf, unending, type Universe } from "./universe.ts"
import { drain, verb } from "./verbs.ts"

type Held = Lease<Session<Thing>>

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
    idempotent: wish.idempotent,
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

const body = (universe: Universe, call: Call, serial: number, thing: Thing, task: Task): unknown => {
  const { book, clock } = universe
  const { program } = call
  call.starts++
  checkReplay(book, call)
  const life = book.lives.find((each) => each.site === call.site && each.generation.serial === serial)
  call.life = life
  life?.bodies.add(call)
  book.note(`${nameOf(call)} starts ${call.starts === 1 ? "" : "again "}on #${serial}`)
  book.expect(
    call.boundTo === undefined || call.boundTo === serial,
    `L8 ${nameOf(call)} of a lease ran on another generation`,
  )
  // What runs in the background was begun by work that was there before.
  if (call.kind !== "background")
    book.expect(life?.probing === 0, `L11 ${nameOf(call)} starts beside a probe`)
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
/** L12: once; once more only if it may, its first run has ended, and the generation of that was lost. */
const checkReplay = (book: Book, call: Call): void => {
  if (call.starts === 1) return
  const name = nameOf(call)
  const mayAgain = call.starts === 2 && call.ask?.idempotent === true
  book.expect(mayAgain, `L12 ${name} was started ${call.starts} times`)
  const reason = call.life?.generation.reason
  book.expect(
    call.ended?.returned === false || (book.fibers && call.ended !== undefined),
    `L12 ${name} runs again beside its first run, or after it returned`,
  )
  book.expect(
    reason === "Broken" || reason === "Unresponsive",
    `L12 ${name} runs again though its generation was ${reason}`,
  )
  call.ended = undefined
  call.stopSeen = undefined
}
const isQuick = (step: Step): boolean => step.do !== "sleep" && !(step.do === "ask" && step.await)
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
      const own = step.do
      return live(book, call, () => {
        book.note(`${nameOf(call)}: task.${own}()`)
        if (own === "close" && call.life !== undefined) call.life.closedByTask = clock.now
        task[own]()
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
