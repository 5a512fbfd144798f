import {
  SessionOpenFailed,
  SessionRefused,
  TaskStopped,
  type DrainReport,
  type SessionEvent,
} from "@sojourn/core"
import { describe, expect, it } from "vitest"
import type { Call, Heard, Moment, Violation } from "../src/book/types.ts"
import { counts } from "../src/oracle/counts.ts"
import { violations } from "../src/oracle/Facts.ts"
import { judge } from "../src/oracle/judge.ts"
import { overdue } from "../src/oracle/overdue.ts"
import { slack } from "../src/oracle/slack.ts"
import { honestRound, type Honest } from "./honest.ts"

type Loose<T> = { -readonly [K in keyof T]: T[K] }
/** Read-only is a promise to the code that reads; these tests break it on purpose. */
const loose = <T>(of: T): Loose<T> => of

const told = (found: ReadonlyArray<Violation>): ReadonlyArray<string> =>
  found.map(({ rule, what }) => `${rule}: ${what}`)

const after = ({ at, tick }: Moment, by = 0.5): Moment => ({ tick: tick + by, at: at + by })

const change = (
  { site }: Honest,
  which: (event: SessionEvent) => boolean,
  to: (event: SessionEvent) => SessionEvent | undefined,
  lateBy = 0,
): void => {
  const index = site.heard.findIndex(({ event }) => which(event))
  const heard = site.heard[index] as Heard
  const event = to(heard.event)
  if (event === undefined) site.heard.splice(index, 1)
  else site.heard[index] = { moment: { ...heard.moment, at: heard.moment.at + lateBy }, event }
}
const is =
  (tag: SessionEvent["_tag"], key?: string) =>
  (event: SessionEvent): boolean =>
    event._tag === tag && (key === undefined || ("session" in event && event.session.key === key))

const refusal = new SessionRefused({ reason: "Closed" })
const stopped = (of: Partial<ConstructorParameters<typeof TaskStopped>[0]>): TaskStopped =>
  new TaskStopped({ reason: "Closed", started: true, task: {} as never, ...of })
const answer = (call: Call, of: { fulfilled: boolean; value: unknown }): void => {
  if (call.told !== undefined) call.told = { moment: call.told.moment, ...of }
}

/** Each rule, what was done to an honest book, and what must be said of it. */
const tamperings: ReadonlyArray<readonly [rule: string, tamper: string, (honest: Honest) => void, RegExp]> = [
  ["told", "nobody told a caller", ({ calls }) => void (calls.first.told = undefined), /never told/],
  ["told", "a caller was told twice", ({ calls }) => void calls.first.tellings++, /told 2 times/],
  [
    "told",
    "a close was not answered",
    ({ close }) => void (close.told = undefined),
    /close .* was never told/,
  ],

  [
    "outcomes",
    "another value",
    ({ calls }) => answer(calls.first, { fulfilled: true, value: { call: 1 } }),
    /another value/,
  ],
  [
    "outcomes",
    "a value before the body returned",
    ({ calls }) => void (calls.first.ends[0] = { ...end(calls.first), moment: later(calls.first) }),
    /had not returned/,
  ],
  [
    "outcomes",
    "an error that nobody threw",
    ({ calls }) => answer(calls.failing, { fulfilled: false, value: new Error("?") }),
    /neither ours nor its own/,
  ],
  [
    "outcomes",
    "a copy of the body's error",
    ({ calls }) =>
      answer(calls.failing, { fulfilled: false, value: structuredClone(end(calls.failing).value) }),
    /neither ours nor its own/,
  ],
  [
    "outcomes",
    "a refusal of what ran",
    ({ calls }) => answer(calls.first, { fulfilled: false, value: refusal }),
    /refused .* but its body ran/,
  ],
  [
    "outcomes",
    "a refusal for no reason",
    ({ calls }) => answer(calls.refused, { fulfilled: false, value: new SessionRefused({ reason: "Busy" }) }),
    /it would have waited/,
  ],
  [
    "outcomes",
    "a refusal because of a close that was none",
    ({ calls }) => answer(calls.refused, { fulfilled: false, value: refusal }),
    /nobody closed its session/,
  ],
  [
    "outcomes",
    "an opening's failure that was none",
    ({ calls }) => answer(calls.refused, { fulfilled: false, value: openFailed }),
    /no opening had failed/,
  ],
  [
    "outcomes",
    "started: false of what ran",
    ({ calls }) =>
      answer(calls.cut, { fulfilled: false, value: stopped({ reason: "Drained", started: false }) }),
    /told started: false/,
  ],
  [
    "outcomes",
    "abandoned, and it had ended",
    ({ calls }) => {
      const moment = later(calls.cut)
      calls.cut.told = { moment, fulfilled: false, value: stopped({ reason: "Drained", abandoned: true }) }
    },
    /called abandoned/,
  ],
  [
    "outcomes",
    "stopped, although it returned a value",
    ({ calls }) => answer(calls.first, { fulfilled: false, value: stopped({}) }),
    /returned a value/,
  ],
  [
    "outcomes",
    "a timeout that nobody had set",
    ({ calls }) => answer(calls.cut, { fulfilled: false, value: stopped({ reason: "Timeout" }) }),
    /it had no timeout/,
  ],
  [
    "outcomes",
    "elements that were lost",
    ({ calls }) => {
      if (calls.stream.stream !== undefined) calls.stream.stream.taken--
    },
    /gave 3 elements, its consumer got 2/,
  ],

  ["once", "a second start", ({ calls }) => again(calls.first, 1), /began 2 times/],
  ["once", "a third start of an idempotent task", ({ calls }) => again(calls.repeated, 1), /began 3 times/],
  [
    "once",
    "a repetition on the same generation",
    ({ calls }) => {
      const [first, second] = calls.repeated.starts
      if (first !== undefined && second !== undefined) loose(second).life = first.life
    },
    /began again on the same generation/,
  ],
  [
    "once",
    "a repetition of what had succeeded",
    ({ calls }) => void (calls.repeated.ends[0] = { ...end(calls.repeated), returned: true }),
    /although it had returned/,
  ],
  [
    "once",
    "a repetition beside the first run",
    ({ calls }) => {
      const moment = after(calls.repeated.starts[1]?.moment as Moment)
      calls.repeated.ends[0] = { ...end(calls.repeated), moment }
    },
    /began again while its first run went on/,
  ],
  [
    "once",
    "a lease's turn on the next generation",
    ({ calls }) => void (loose(calls.leased).boundTo = 99),
    /belongs to a lease of #99/,
  ],

  [
    "order",
    "the second before the first",
    ({ calls }) => void (loose(calls.first).handed = after(calls.second.handed)),
    /was handed in before/,
  ],
  [
    "concurrency",
    "two bodies at once",
    ({ calls }) =>
      void (calls.first.ends[0] = {
        ...end(calls.first),
        moment: after(calls.second.starts[0]?.moment as Moment),
      }),
    /run at once/,
  ],
  [
    "probes",
    "a probe beside a turn",
    ({ calls, livesOf }) => {
      const [probe] = livesOf("a")[0]?.probes ?? []
      if (probe !== undefined) loose(probe).started = after(calls.first.starts[0]?.moment as Moment)
      if (probe !== undefined) probe.ended = after(probe.started)
    },
    /was probed while run 1/,
  ],
  [
    "probes",
    "a turn that began during a probe",
    ({ calls, livesOf }) => {
      const [probe] = livesOf("a")[0]?.probes ?? []
      if (probe !== undefined) probe.ended = after(calls.second.starts[0]?.moment as Moment)
    },
    /began while .* was being probed/,
  ],

  [
    "neverTwo",
    "two generations of a key",
    ({ livesOf }) => {
      const [first, second] = livesOf("a")
      const piece = first?.pieces[0]
      if (piece?.released !== undefined && second !== undefined)
        piece.released = { ...piece.released, moment: after(second.opened) }
    },
    /was opened before the release of its first of #1 had ended/,
  ],
  [
    "neverTwo",
    "a body that outlived its generation",
    ({ calls, livesOf }) => {
      const [, second] = livesOf("a")
      calls.first.ends[0] = { ...end(calls.first), moment: after(second?.opened as Moment) }
    },
    /before the body of run 1 of #1 had ended/,
  ],
  ["releases", "released twice", (honest) => piece(honest).releases.push(later(honest.calls.cut)), /2 times/],
  ["releases", "never released", (honest) => void (piece(honest).releases.length = 0), /back 0 times/],
  [
    "releases",
    "a release that never ended",
    (honest) => void (piece(honest).released = undefined),
    /never finished/,
  ],
  [
    "releases",
    "the first before the last",
    ({ livesOf }) => {
      const pieces = livesOf("a")[0]?.pieces ?? []
      const [first, second] = pieces
      const release = first?.releases[0]
      if (first !== undefined && second !== undefined && release !== undefined)
        first.releases[0] = after(second.releases[0] as Moment, -0.5)
    },
    /gave its first 1 back before its second 2/,
  ],
  [
    "releases",
    "two at a time",
    ({ livesOf }) => {
      const [first, second] = livesOf("a")[0]?.pieces ?? []
      if (first !== undefined && second !== undefined) first.releases[0] = after(second.releases[0] as Moment)
    },
    /while its second was still going/,
  ],
  [
    "leaks",
    "called leaked, and it had ended",
    (honest) =>
      change(
        honest,
        is("Closed", "a"),
        (event) => (event._tag === "Closed" ? { ...event, leaked: true } : event),
        10_000,
      ),
    /called leaked, and everything had ended/,
  ],
  [
    "leaks",
    "called closed, and it had not ended",
    (honest) =>
      change(honest, is("Closed", "leaking"), (event) =>
        event._tag === "Closed" ? { ...event, leaked: false } : event,
      ),
    /called closed before the release of its first had ended/,
  ],
  [
    "leaks",
    "a leak that never ended",
    (honest) => change(honest, is("LeakEnded"), () => undefined),
    /never ended/,
  ],
  [
    "saved",
    "state from nowhere",
    ({ livesOf }) => {
      const [, second] = livesOf("a")
      if (second !== undefined) loose(second).restored = { by: 77 }
    },
    /which nobody had saved/,
  ],
  [
    "saved",
    "state that a close had it forget",
    ({ close, livesOf }) => {
      const [first, second] = livesOf("a")
      loose(close).asked = after(first?.saves[0]?.ended as Moment)
      if (close.told !== undefined && second !== undefined)
        close.told = { ...close.told, moment: after(second.opened, -0.5) }
    },
    /had it forget/,
  ],

  [
    "balance",
    "an opening that was never told",
    (honest) => change(honest, is("Opening", "a"), () => undefined),
    /was never told/,
  ],
  [
    "balance",
    "a generation that never closed",
    (honest) => change(honest, is("Closed", "b"), () => undefined),
    /generations were opened/,
  ],
  [
    "balance",
    "a session that was served long after its opening's deadline",
    (honest) =>
      change(honest, is("Opened", "a"), (event) =>
        event._tag === "Opened" ? { ...event, durationMs: 60_000 } : event,
      ),
    /became ready after 60000 ms/,
  ],
  ["balance", "open called by itself", ({ book }) => void book.lives.splice(0, 1), /open was never called/],
  [
    "balance",
    "something live after the drain",
    ({ site }) => void (loose(counted(site.drained)).Ready = 1),
    /counts 1 Ready after its drain/,
  ],
  [
    "balance",
    "a leak too many",
    ({ site }) => void loose(counted(site.drained)).leaked++,
    /counts 2 leaked after its drain/,
  ],
  [
    "balance",
    "a leak at the end",
    ({ site }) => void (loose(counted(site.quiet)).leaked = 1),
    /counts 1 leaked at the end/,
  ],
  [
    "events",
    "the same number twice",
    (honest) => change(honest, is("Opened", "b"), (event) => ({ ...event, seq: event.seq - 1 })),
    /came after/,
  ],
  [
    "events",
    "a gap that nobody announces",
    (honest) => change(honest, is("TaskQueued"), () => undefined),
    /missing, and nobody says so/,
  ],
  [
    "events",
    "opened and not closed",
    (honest) => change(honest, is("Closed", "b"), () => undefined),
    /to the end/,
  ],
  [
    "events",
    "opened twice",
    (honest) =>
      change(honest, is("Closing", "a"), (event) =>
        event._tag === "Closing" ? { ...event, _tag: "Opened", durationMs: 1 } : event,
      ),
    /Opened of .* came when/,
  ],
  [
    "events",
    "a mistake of the engine's",
    (honest) =>
      change(honest, is("TaskQueued"), (event) =>
        event._tag === "TaskQueued"
          ? { ...event, _tag: "WarningRaised", warning: "EngineDefect", evidence: {} }
          : event,
      ),
    /a mistake inside the engine/,
  ],
  [
    "drains",
    "more finished than ran",
    ({ drain }) => void loose(reported(drain)).finished++,
    /1 finished and 1 cut, 1 bodies ran/,
  ],
  [
    "drains",
    "a leak that was left out",
    (honest) => void loose(reported(honest.drain)).closed++,
    /reports \d+ closed/,
  ],
  [
    "drains",
    "far too late",
    ({ drain }) => {
      if (drain.told !== undefined)
        drain.told = { ...drain.told, moment: { ...drain.told.moment, at: drain.asked.at + 400 + slack } }
    },
    /more than its bound/,
  ],
  [
    "drains",
    "a drain that fails",
    ({ drain }) => {
      if (drain.told !== undefined) drain.told = { ...drain.told, fulfilled: false }
    },
    /rejected/,
  ],
  [
    "closes",
    "another reason than was told",
    ({ close }) => void (closing(close).reason = "Idle"),
    /reports Idle, told was Requested/,
  ],
  [
    "closes",
    "an error that no finalizer threw",
    ({ close }) => closing(close).errors.push(new Error("?")),
    /which no finalizer/,
  ],
  ["closes", "a report on another key", ({ close }) => void (loose(close).key = "b"), /which is not its own/],
  [
    "leases",
    "a lease that never ended",
    ({ calls }) => {
      if (calls.lease.lease !== undefined) calls.lease.lease.ended = undefined
    },
    /granted and never ended/,
  ],
]

const end = (call: Call): Call["ends"][number] => call.ends[0] as Call["ends"][number]
/** Well after everything about a call. */
const later = (call: Call): Moment => after(call.told?.moment as Moment, 100)
const again = (call: Call, times: number): void => {
  for (let left = times; left > 0; left--) call.starts.push(call.starts[0] as Call["starts"][number])
}
const piece = ({ livesOf }: Honest): NonNullable<Honest["book"]["lives"][number]["pieces"][number]> =>
  livesOf("b")[0]?.pieces[0] as never
const counted = (snapshot: Honest["site"]["drained"]): NonNullable<Honest["site"]["drained"]>["counts"] =>
  snapshot?.counts as never
const closing = ({ told: answered }: Honest["close"]): { reason: string; errors: Array<unknown> } =>
  answered?.value as never
const reported = ({ told: answered }: Honest["drain"]): DrainReport => answered?.value as DrainReport
const openFailed = new SessionOpenFailed({ reason: "Failed", cause: new Error("of another key") })

describe("the oracle", () => {
  it("finds nothing in an honest round", async () => {
    const { book } = await honestRound()
    expect(told([...book.found, ...judge(book)])).toEqual([])
  })
  it.each(tamperings)("%s: sees %s", async (rule, _, tamper, expected) => {
    const honest = await honestRound()
    tamper(honest)
    const found = judge(honest.book).filter((violation) => violation.rule === rule)
    expect(told(found).join("\n")).toMatch(expected)
  })
})

describe("while a round goes on", () => {
  it("told: sees who waits beyond its bound, and not a moment before", async () => {
    const { book, calls, close } = await honestRound()
    book.stalls.length = 0
    for (const each of [calls.second, calls.first, close]) each.told = undefined
    calls.first.starts.length = 0
    calls.first.ends.length = 0
    const at = (now: number): ReadonlyArray<Violation> =>
      violations("told", overdue(book, [calls.first, calls.second, close], now))
    const { queue } = calls.first.site.terms
    expect(told(at(calls.first.handed.at + queue + slack - 1))).toHaveLength(1)
    const late = told(at(calls.first.handed.at + queue + slack + 60_000)).join("\n")
    expect(late).toMatch(/run 1 on honest:a is not told/)
    expect(late).toMatch(/after its body ended/)
    expect(late).toMatch(/close \d+ of honest:a is not told/)
  })
  it("told: a loop that stood still is nobody's fault", async () => {
    const { book, calls } = await honestRound()
    const { first } = calls
    first.told = undefined
    first.starts.length = 0
    first.ends.length = 0
    const now = first.handed.at + first.site.terms.queue + slack + 500
    book.stalls.length = 0
    expect([...overdue(book, [first], now)]).toHaveLength(1)
    book.stalls.push({ at: now - 10, ms: 600 })
    expect([...overdue(book, [first], now)]).toEqual([])
  })
  it("counts: sees a snapshot that counts otherwise", async () => {
    const { calls, site } = await honestRound()
    const snapshot = site.quiet as NonNullable<typeof site.quiet>
    const found = (waiting: ReadonlyArray<Call>, of: object): string =>
      told(
        violations("counts", counts(waiting, site, { ...snapshot, counts: { ...snapshot.counts, ...of } })),
      ).join("\n")
    expect(found([], {})).toBe("")
    expect(found([calls.first], {})).toMatch(/counts 0 queued, by the book it is 1/)
    expect(found([], { Ready: 1 })).toMatch(/counts 1 generations, by its events it is 0/)
    expect(found([], { leaked: 2 })).toMatch(/counts 2 leaked/)
    expect(found([], { Ready: 101 })).toMatch(/at most 100/)
  })
  it("isolation: sees a task that was given another key's resource", async () => {
    const { book, calls, livesOf } = await honestRound()
    book.start(calls.first, livesOf("b")[0] as never, new AbortController().signal)
    expect(told(book.found)).toEqual([
      `isolation: run 1 on honest:a was given honest:b#${livesOf("b")[0]?.serial}`,
    ])
  })
})
