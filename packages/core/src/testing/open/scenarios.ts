/** What an opening can go through. Each plays in a registry of its own, in real time. */
import type { Sessions, Task } from "../../Sessions.ts"
import type { Acquired, AcquiredTap } from "../Acquired.ts"
import { inWords } from "../lineOf.ts"
import { realNow, realPause } from "../realTime.ts"

interface Stage<R> {
  readonly sessions: Sessions<R>
  /** Opens if need be, and does the user's task. */
  readonly visit: (key: string, signal?: AbortSignal) => Promise<void>
  readonly task: (resource: R, task: Task) => unknown
  readonly find: (what: string, todo: string) => void
  /** By key, the resources of its generations. */
  readonly resources: (key: string) => ReadonlyArray<R>
  readonly acquired: () => ReadonlyArray<Acquired>
}
export interface Scenario<R> {
  /** "When …", as the beginning of a sentence. */
  readonly when: string
  readonly tap?: AcquiredTap
  readonly play: (stage: Stage<R>) => Promise<void>
}

/** What an opening without trouble looks like. */
export interface Course {
  opened: boolean
  /** Real milliseconds until it was ready. */
  tookMs: number
  uses: number
  finalizers: number
}

const alice = "alice"
const bob = "bob"
const asIs = async (promise: Promise<unknown>): Promise<void> => {
  await promise.catch(() => {})
}

/** The first: what it finds out decides which others there are. */
export const opensAndIsUsed = <R>(course: Course): Scenario<R> => ({
  when: "When it is opened, used and closed",
  play: async ({ acquired, find, sessions, task }) => {
    const began = realNow()
    let threw: unknown
    const run = sessions.run(alice, async (resource, own) => {
      course.opened = true
      course.tookMs = realNow() - began
      try {
        await task(resource, own)
      } catch (error) {
        threw = error
        find(`the task failed: ${inWords(error)}`, "Nothing was wrong with its resource.")
      }
    })
    await run.catch((error: unknown) => {
      if (course.opened) return
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
      find(`the open failed: ${inWords(cause)}`, "It has to succeed once before it can be checked.")
    })
    course.uses = acquired().filter(({ verb }) => verb === "use").length
    course.finalizers = acquired().filter(({ verb }) => verb === "onClose").length
    if (threw === undefined) await sessions.close(alice)
  },
})

/** Nobody waits for it any more, at a moment of its own choice. */
const givenUp = <R>(
  when: string,
  isMoment: (one: Acquired, moment: "called" | "arrived") => boolean,
): Scenario<R> => {
  const left = new AbortController()
  const leave = (one: Acquired, moment: "called" | "arrived"): void => {
    if (isMoment(one, moment)) left.abort(new Error("checkOpen gives this opening up."))
  }
  return {
    when,
    tap: { called: (one) => leave(one, "called"), arrived: (one) => leave(one, "arrived") },
    play: ({ visit }) => asIs(visit(alice, left.signal)),
  }
}
const givenUpAfter = <R>(when: string, ms: number): Scenario<R> => ({
  when,
  play: async ({ visit }) => {
    const left = new AbortController()
    const visited = asIs(visit(alice, left.signal))
    // Not even a tick, where `ms` is none: `open` was called and is at its first wait.
    if (ms > 0) await realPause(ms)
    left.abort(new Error("checkOpen gives this opening up."))
    await visited
  },
})

const acquisitionFails = <R>(number: number): Scenario<R> => ({
  when: `When acquisition ${number} fails`,
  tap: {
    arrived: (one) => {
      if (one.number === number) throw new Error(`checkOpen lets acquisition ${number} fail.`)
    },
  },
  play: ({ visit }) => asIs(visit(alice)),
})

const closedWhileOpening = <R>(): Scenario<R> => ({
  when: "When it is closed while it opens",
  play: async ({ sessions, visit }) => {
    const visited = asIs(visit(alice))
    await sessions.close(alice)
    await visited
  },
})
const closedWhileBusy = <R>(): Scenario<R> => ({
  when: "When it is closed while a task runs",
  play: async ({ sessions, task }) => {
    const busy = Promise.withResolvers<void>()
    const run = sessions.run(alice, async (resource, own) => {
      const work = (async () => task(resource, own))()
      busy.resolve()
      await new Promise((resolve) => own.signal.addEventListener("abort", resolve))
      await work
    })
    await Promise.race([busy.promise, asIs(run)])
    await sessions.close(alice)
    await asIs(run)
  },
})

const releasesFail = <R>(): Scenario<R> => ({
  when: "When its releases fail, after they have done their work",
  tap: {
    released: (one) => {
      throw new Error(`checkOpen lets the release given at ${one.place} fail.`)
    },
  },
  play: async ({ acquired, find, sessions, visit }) => {
    await asIs(visit(alice))
    const report = await sessions.close(alice)
    const released = acquired().filter(({ state }) => state === "released").length
    if (report !== undefined && report.errors.length < released)
      find(
        `the report of the close has ${report.errors.length} of ${released} failed releases`,
        "Please report this.",
      )
  },
})

/** Two callers of one key, another key beside it, and a second generation: what they have in common is a mistake. */
const severalAtOnce = <R>(): Scenario<R> => ({
  when: "When two keys are open at once, and one is opened again",
  play: async ({ acquired, find, resources, sessions, visit }) => {
    const [first, second, other] = await Promise.allSettled([visit(alice), visit(alice), visit(bob)])
    // What fails by itself has been told.
    if ([first, second, other].some(({ status }) => status === "rejected")) return
    await sessions.close(alice)
    const shared =
      "Make what belongs to one session inside its `open`, and what they share outside, released by nobody here."
    await visit(bob).catch((error: unknown) =>
      find(`closing one key spoils the other: ${inWords(error)}`, shared),
    )
    await visit(alice).catch((error: unknown) =>
      find(`a key cannot be opened again after it was closed: ${inWords(error)}`, shared),
    )
    const [one, two] = resources(alice)
    const [others] = resources(bob)
    if (isSame(one, others)) find("two keys get one and the same resource", shared)
    if (isSame(one, two)) find("a key that is opened again gets the resource that was closed", shared)
    for (const [index, given] of acquired().entries()) {
      const again = acquired()
        .slice(0, index)
        .find(({ holder, value }) => isSame(value, given.value) && holder !== given.holder)
      if (again !== undefined)
        find(`what is given to use at ${given.place} is one and the same for several sessions`, shared)
    }
  },
})
const isSame = (a: unknown, b: unknown): boolean => typeof a === "object" && a !== null && a === b

/** Real milliseconds: what is sooner over cannot be aimed at. */
const soonestHalfWay = 10
/** More steps than these take long and say little. */
const mostSteps = 16

export const scenariosFor = <R>(course: Course): ReadonlyArray<Scenario<R>> => {
  const uses = Array.from({ length: Math.min(mostSteps, course.uses) }, (_, index) => index + 1)
  const finalizers = Array.from({ length: Math.min(mostSteps, course.finalizers) }, (_, index) => index + 1)
  const halfWay = course.tookMs / 2
  return [
    givenUpAfter<R>("When it is given up at once", 0),
    ...(halfWay > soonestHalfWay ? [givenUpAfter<R>("When it is given up half-way", halfWay)] : []),
    ...uses.flatMap((number) => [
      givenUp<R>(
        `When it is given up while acquisition ${number} is on its way`,
        (one, moment) => one.verb === "use" && moment === "called" && one.number === number,
      ),
      givenUp<R>(
        `When it is given up as acquisition ${number} has arrived`,
        (one, moment) => moment === "arrived" && one.number === number,
      ),
      acquisitionFails<R>(number),
    ]),
    ...finalizers.map((number) =>
      givenUp<R>(
        `When it is given up after onClose number ${number}`,
        (one) => one.verb === "onClose" && one.number === number,
      ),
    ),
    closedWhileOpening<R>(),
    closedWhileBusy<R>(),
    severalAtOnce<R>(),
    releasesFail<R>(),
  ]
}
