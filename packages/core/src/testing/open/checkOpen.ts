/** Plays every scenario against an `open`, and lists what went wrong or is still held. */
import { invalidOption } from "../../errors.ts"
import { createSessionsWith } from "../../face/createSessions.ts"
import { checkedFunction, milliseconds, resolveNames } from "../../options.ts"
import type { Options, Time } from "../../SessionOptions.ts"
import type { Opening, Task } from "../../Sessions.ts"
import type { Acquired } from "../Acquired.ts"
import { heldAfter, Holder, type Held } from "../handles.ts"
import { inWords } from "../lineOf.ts"
import { settle, settlesWithin } from "../realTime.ts"
import type { Work } from "../UnderWay.ts"
import { Watch } from "../Watch.ts"
import { Findings } from "./Findings.ts"
import { opensAndIsUsed, scenariosFor, type Course, type Scenario } from "./scenarios.ts"
import { Spies } from "./Spies.ts"

/** `task`: how the resource is used. `timeout`: of each scenario, in real time; 10 seconds. */
export type CheckOpen<R> = Options<{
  readonly task: (resource: R, task: Task) => unknown
  readonly timeout: Time
}>

const usualTimeout = 10_000
/** Real milliseconds that a handle may take to go after its session is gone. */
const lingers = 2_000
/** For what an earlier scenario has left as well. */
const lingersAgain = 100

/**
 * Opens, uses, gives up at each step, closes while opening and while busy, lets acquisitions and releases fail, has several
 * at once. After each of these everything acquired must have been released and no handle of Node's be left.
 *
 * It runs in real time against the real thing, which it opens a dozen times and more, under the keys "alice" and "bob".
 * Rejects with one error that lists what went wrong or is still held, when, and what to do about it. It cannot see memory,
 * or what another process holds.
 */
export const checkOpen = async <R>(
  open: (session: Opening) => R | PromiseLike<R>,
  options?: CheckOpen<R>,
): Promise<void> => {
  resolveNames(options, ["task", "timeout"])
  checkedFunction("open", open)
  if (options?.task !== undefined) checkedFunction("task", options.task)
  const timeout = milliseconds("timeout", options?.timeout, usualTimeout, 1)
  if (timeout === Infinity) throw invalidOption("timeout: a finite time is allowed, got Infinity.")
  const check = new Check(open, options?.task ?? (() => {}), timeout)
  const course: Course = { opened: false, tookMs: 0, uses: 0, finalizers: 0 }
  process.on("unhandledRejection", check.unhandled)
  try {
    await check.play(opensAndIsUsed(course))
    if (course.opened) for (const scenario of scenariosFor<R>(course)) await check.play(scenario)
  } finally {
    process.off("unhandledRejection", check.unhandled)
  }
  check.findings.throwAny()
}

class Check<R> {
  readonly findings = new Findings()
  readonly #open: (session: Opening) => R | PromiseLike<R>
  readonly #task: (resource: R, task: Task) => unknown
  readonly #timeout: number
  #when = ""
  #watch: Watch | undefined

  constructor(
    open: (session: Opening) => R | PromiseLike<R>,
    task: (resource: R, task: Task) => unknown,
    timeout: number,
  ) {
    this.#open = open
    this.#task = task
    this.#timeout = timeout
  }

  async play(scenario: Scenario<R>): Promise<void> {
    if (this.findings.stopped) return
    this.#when = scenario.when
    const spies = new Spies()
    const resources = new Map<Holder, R>()
    const { arrived, ...tap } = scenario.tap ?? {}
    const watch = new Watch({
      ...tap,
      keepsValues: true,
      releasing: spies.releasing,
      arrived: (one) => {
        spies.watch(one.value)
        arrived?.(one)
      },
      opened: (resource, holder) => {
        spies.watch(resource)
        resources.set(holder, resource as R)
      },
    })
    this.#watch = watch
    const { sessions } = createSessionsWith<R>(
      {
        name: "checkOpen",
        open: watch.open(this.#open),
        idleTimeout: Infinity,
        restart: { delay: 0 },
        // This check has a deadline of its own: what the engine would abandon is to be seen.
        timeouts: {
          open: Infinity,
          queue: Infinity,
          silence: Infinity,
          grace: this.#timeout,
          close: this.#timeout,
        },
      },
      {},
    )
    let late = false
    const played = scenario.play({
      sessions: {
        ...sessions,
        run: (key, task, options) => sessions.run(key, watch.run(task), options),
      },
      visit: async (key, signal) => void (await sessions.run(key, watch.run(this.#task), { signal })),
      task: this.#task,
      find: (what, todo) => {
        if (!late) this.findings.add(scenario.when, what, todo)
      },
      resources: (key) =>
        [...resources]
          .filter(([holder]) => holder.name.startsWith(`${key}#`))
          .map(([, resource]) => resource),
      acquired: () => watch.acquired,
    })
    const over = played.then(() => sessions.drain({ finishWithin: 0 }))
    late = !(await settlesWithin(this.#timeout, over))
    if (late) this.findings.stopped = true
    // A rejection that nobody handles is told a little later.
    else await settle()
    this.#hung(watch.underWay.all)
    if (late) void sessions.drain({ finishWithin: 0 })
    else {
      // Scenarios reject for no fault of the user's.
      await over
      await this.#look(watch, spies, resources)
    }
    spies.restore()
    watch.close()
  }

  #hung(works: ReadonlyArray<Work>): void {
    const { findings } = this
    for (const { kind, what } of works) {
      findings.stopped = true
      findings.add(this.#when, `${what} has not ended after ${this.#timeout} ms`, remedies[kind])
    }
    if (findings.stopped && works.length === 0)
      findings.add(this.#when, `all of it has taken longer than ${this.#timeout} ms`, "Raise `timeout`.")
  }

  async #look(watch: Watch, spies: Spies, resources: ReadonlyMap<Holder, R>): Promise<void> {
    const found = (what: string, todo: string): void => this.findings.add(this.#when, what, todo)
    const used = new Map<unknown, Acquired>()
    for (const one of watch.acquired) {
      const { error, place, state, value, verb } = one
      if (state === "held" || state === "arriving")
        found(
          `what was given to ${verb} at ${place} was not released`,
          "Please report this: it should have been.",
        )
      if (error !== undefined)
        found(
          `the release given at ${place} failed: ${inWords(error)}`,
          "Does something else release it as well?",
        )
      if (verb !== "use" || typeof value !== "object" || value === null) continue
      const before = used.get(value)
      if (before?.holder === one.holder)
        found(
          `${place} gives to use what was given to it at ${before.place} already`,
          "Give each thing to it once.",
        )
      used.set(value, one)
      const again = spies.releasedAgain(one)
      if (again !== undefined)
        found(
          `what was given to use at ${place} is released twice: also by what is given to ${again.verb} at ${again.place}`,
          "`use` releases it; leave the other out.",
        )
    }
    for (const resource of resources.values()) {
      if (!used.has(resource) && spies.isForgotten(resource))
        found("the resource could be released, and nothing released it", "Give it to `use`.")
    }
    for (const [one, other] of outOfOrder(watch.acquired))
      found(
        `what was acquired at ${one.place} was released before what came after it at ${other.place}`,
        "Please report this: the last goes first.",
      )
    const isKnown = (held: Held): boolean => this.findings.has(leftOver(held))
    const patience = Math.min(lingers, this.#timeout)
    const held = await heldAfter(patience, watch.holders, isKnown)
    const known = await heldAfter(Math.min(lingersAgain, patience), watch.holders, (one) => !isKnown(one))
    for (const one of [...held, ...known])
      found(
        leftOver(one),
        "Give it to `use` as soon as it exists, or end it in an `onClose` registered before anything can fail.",
      )
  }

  readonly unhandled = (error: unknown): void => {
    const holder = Holder.current
    if (holder !== undefined && this.#watch?.holders.includes(holder) === true) {
      this.findings.add(
        this.#when,
        `a promise was rejected and nobody handled it: ${inWords(error)}`,
        "That ends a Node process. Await each promise, or use Promise.all, before anything else can throw.",
      )
    } else if (process.listenerCount("unhandledRejection") === 1) throw error
  }
}

/** Of one generation: the one was there when the other was asked for, and both were there when the first was released. */
const outOfOrder = (acquired: ReadonlyArray<Acquired>): ReadonlyArray<readonly [Acquired, Acquired]> =>
  acquired.flatMap((one) =>
    acquired
      .filter(
        (other) =>
          other.holder === one.holder &&
          one.arrivedAt < other.calledAt &&
          other.arrivedAt < one.releasedAt &&
          one.releasedAt < other.releasedAt,
      )
      .map((other) => [one, other] as const),
  )

/** Without the session's name: the same line of code is the same finding. */
const leftOver = ({ place, what }: Held): string => `${what} made at ${place} is still there`

const remedies: Readonly<Record<Work["kind"], string>> = {
  open: "Give every wait in it `session.signal`, or a deadline of its own.",
  use: "Give what makes it `session.signal`, or a deadline of its own.",
  task: "Give every wait in it `task.signal`, or a deadline of its own.",
  release: "A release needs a deadline of its own: nothing can end it from outside.",
  probe: "Give every wait in it the probe's `signal`.",
  save: "It has to end by itself.",
  store: "It has to end by itself.",
}
