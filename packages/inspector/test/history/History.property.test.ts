/**
 * History against a naive copy of every reading, over random work, ticks, gaps, changes of the clock, and registries that
 * come, drain and come again under the same name.
 */
import { createSessions, type Sessions } from "@sojourn/core"
import { closeReasons, inspectionOf, sessionRefusedReasons } from "@sojourn/core/inspect"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { liveSessionStates, taskOutcomes } from "../../src/protocol/words.ts"
import { History } from "../../src/history/History.ts"
import type { SeriesColumn } from "../../src/history/read.ts"
import { HandClock } from "./support.ts"

type Values = Record<string, number>
interface Reading {
  readonly slot: number
  readonly seconds: number
  readonly kinds: Map<string, Values>
}
const gaugesOf = (sessions: Sessions<object>): Values => {
  const gauges = inspectionOf(sessions)?.gauges()
  if (gauges === undefined) throw new Error("No registry.")
  return {
    ...Object.fromEntries(liveSessionStates.map((state) => [`sessions.${state}`, gauges.sessions[state]])),
    "sessions.idle": gauges.idle,
    "tasks.queued": gauges.queued,
    "tasks.running": gauges.running,
  }
}
const countersOf = (sessions: Sessions<object>): Values => {
  const inspection = inspectionOf(sessions)
  if (inspection === undefined) throw new Error("No registry.")
  const { totals } = inspection
  return {
    ...Object.fromEntries(closeReasons.map((reason) => [`closes.${reason}`, totals.ends[reason]])),
    ...Object.fromEntries(taskOutcomes.map((outcome) => [`ended.${outcome}`, totals.outcomes[outcome]])),
    ...Object.fromEntries(
      sessionRefusedReasons.map((reason) => [`refused.${reason}`, totals.refusals[reason]]),
    ),
    "opens.succeeded": totals.openings.first.succeeded + totals.openings.again.succeeded,
    "acquired.hit": totals.acquisitions.hit,
    started: [...inspection.tasks()].reduce((sum, { started }) => sum + started, 0),
  }
}

/** A registry of a kind, and what it had counted when it was looked at last. */
class Member {
  readonly kind: string
  readonly sessions: Sessions<object>
  before: Values
  readonly held: Array<() => void> = []
  drained = false
  constructor(kind: string) {
    this.kind = kind
    this.sessions = createSessions({ name: kind, open: () => ({}) })
    this.before = countersOf(this.sessions)
  }
}

class World {
  readonly clock = new HandClock()
  readonly history: History
  readonly members = new Set<Member>()
  readings: Array<Reading> = []
  holds: Array<Disposable> = []
  last = -1
  readAt = 0
  readonly wrong: Array<unknown> = []
  constructor(sessions: ReadonlyArray<Sessions<object>> | undefined) {
    this.history = new History({ clock: this.clock, sessions })
  }
  hold(): void {
    if (this.holds.length === 0) {
      this.readAt = this.clock.steady
      for (const member of this.members) {
        if (member.drained) this.members.delete(member)
        member.before = countersOf(member.sessions)
      }
    }
    this.holds.push(this.history.hold())
  }
  let(): void {
    this.holds.pop()?.[Symbol.dispose]()
    if (this.clock.waiting !== this.holds.length > 0) this.wrong.push("its timer")
  }
  tick(late: number): void {
    if (this.holds.length === 0) return this.clock.pass(late)
    this.clock.next(late)
    const slot = Math.round(this.clock.now / 1000) - 1
    const seconds = (this.clock.steady - this.readAt) / 1000
    if (slot <= this.last && this.last - slot <= 2) return
    if (slot <= this.last) {
      // Of ten seconds of which a part comes again, the rest is still known second by second.
      this.readings = this.readings.filter((reading) => reading.slot < slot)
    }
    this.last = slot
    this.readAt = this.clock.steady
    const kinds = new Map<string, Values>()
    for (const member of this.members) {
      const values = kinds.get(member.kind) ?? {}
      const counters = countersOf(member.sessions)
      for (const [name, value] of Object.entries(gaugesOf(member.sessions)))
        values[name] = (values[name] ?? 0) + value
      for (const [name, value] of Object.entries(counters))
        values[name] = (values[name] ?? 0) + (value - (member.before[name] ?? 0)) / seconds
      member.before = counters
      kinds.set(member.kind, values)
      if (member.drained) this.members.delete(member)
    }
    this.readings.push({ slot, seconds, kinds })
  }
}

interface Naive {
  readonly value: number | null
  readonly peak: number | null
}
const naive = (readings: ReadonlyArray<Reading>, kinds: ReadonlyArray<string>, name: string): Naive => {
  let [sum, weight, peak] = [0, 0, -Infinity]
  for (const reading of readings) {
    const values = kinds.flatMap((kind) => reading.kinds.get(kind)?.[name] ?? [])
    if (values.length === 0) continue
    const value = values.reduce((all, one) => all + one, 0)
    sum += value * reading.seconds
    weight += reading.seconds
    peak = Math.max(peak, value)
  }
  return weight === 0 ? { value: null, peak: null } : { value: sum / weight, peak }
}
const near = (actual: number | null | undefined, expected: number | null): boolean =>
  actual === null || actual === undefined || expected === null
    ? actual === expected
    : Math.abs(actual - expected) <= 0.0006 + Math.abs(expected) * 1e-6

const kindNames = ["ring-a", "ring-b", "ring-c"]
const action = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      act: fc.constantFrom(
        "run" as const,
        "fail" as const,
        "hold" as const,
        "end" as const,
        "close" as const,
      ),
      kind: fc.constantFrom(...kindNames),
      key: fc.constantFrom("x", "y", "z"),
      times: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ act: fc.constant("ticks" as const), times: fc.integer({ min: 1, max: 25 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant("late" as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant("sleep" as const), ms: fc.integer({ min: 0, max: 4e6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant("back" as const), ms: fc.integer({ min: 0, max: 60_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom("let" as const, "again" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant("drain" as const), kind: fc.constantFrom(...kindNames) }),
  },
)
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

const carryOut = async (world: World, members: Map<string, Member>, one: Action): Promise<void> => {
  const memberOf = (kind: string): Member => {
    let member = members.get(kind)
    if (member === undefined) {
      members.set(kind, (member = new Member(kind)))
      world.members.add(member)
    }
    return member
  }
  switch (one.act) {
    case "ticks":
      for (let time = 0; time < one.times; time++) world.tick(0)
      return
    case "late":
      return world.tick(one.ms)
    case "sleep":
      world.clock.now += one.ms
      return world.tick(0)
    case "back":
      world.clock.now -= one.ms
      return world.tick(0)
    case "let":
      return world.let()
    case "again":
      return world.hold()
    case "drain": {
      const member = members.get(one.kind)
      if (member === undefined) return
      members.delete(one.kind)
      for (const end of member.held.splice(0)) end()
      await member.sessions.drain({ finishWithin: 0 })
      member.drained = true
      return
    }
    case "end":
      for (const end of memberOf(one.kind).held.splice(0)) end()
      return settle()
    case "close":
      await Promise.race([memberOf(one.kind).sessions.close(one.key), settle()])
      return
    default: {
      const member = memberOf(one.kind)
      for (let time = 0; time < one.times; time++) {
        const turn = member.sessions.run(one.key, () => {
          if (one.act === "fail") throw new Error("meant to fail")
          return one.act === "hold" ? new Promise<void>((resolve) => member.held.push(resolve)) : undefined
        })
        turn.catch(() => {})
      }
      return settle()
    }
  }
}

const names = [
  ...[...liveSessionStates, "idle"].map((state) => `sessions.${state}`),
  ...closeReasons.map((reason) => `closes.${reason}`),
  ...sessionRefusedReasons.map((reason) => `refused.${reason}`),
  "tasks",
  "ended",
  "opens.succeeded",
  "acquired.hit",
  "started",
]

const compare = (world: World, step: number, minutes: number, together: boolean): void => {
  for (const kinds of together ? [kindNames] : kindNames.map((kind) => [kind]))
    compareOf(world, kinds, step, minutes, together)
}
const compareOf = (
  world: World,
  kinds: ReadonlyArray<string>,
  step: number,
  minutes: number,
  together: boolean,
): void => {
  const answer = world.history.series({
    kinds,
    names,
    step,
    together,
    from: Math.max(0, (world.last + 1) * 1000 - minutes * 60_000),
    points: 3600,
  })
  if (world.readings.length === 0) return
  // Ten seconds are written down when they are over.
  const open = answer.readingMs === 1000 ? Infinity : Math.floor(world.last / 10) * 10
  const written = world.readings.filter(({ slot }) => slot < open || world.last % 10 === 9)
  const of = (column: SeriesColumn, point: number): Naive => {
    const from = (answer.start + point * answer.stepMs) / 1000
    const within = written.filter(({ slot }) => slot >= from && slot < from + answer.stepMs / 1000)
    return naive(within, column.kind === undefined ? kindNames : [column.kind], column.name)
  }
  for (const column of answer.columns)
    for (let point = 0; point < answer.points; point++) {
      const expected = of(column, point)
      const where = [column.kind, column.name, answer.readingMs, answer.stepMs, point]
      if (!near(column.values[point], expected.value))
        world.wrong.push([...where, column.values[point], "not", expected.value])
      if (column.peaks !== undefined && !near(column.peaks[point], expected.peak))
        world.wrong.push([...where, "peak", column.peaks[point], "not", expected.peak])
    }
}

test("history is what a naive copy of every reading says, at every step", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(1000, 3000, 7000, 10_000, 60_000),
      async (actions, step) => {
        const world = new World(undefined)
        const members = new Map<string, Member>()
        world.hold()
        try {
          for (const [index, one] of actions.entries()) {
            await carryOut(world, members, one)
            if (index % 8 === 7) compare(world, 1000, 15, false)
          }
          compare(world, 1000, 15, false)
          // A clock that is set back cuts ten seconds apart; then only seconds can be compared.
          if (actions.every(({ act }) => act !== "back")) {
            compare(world, step, 14, false)
            // A minute less than six hours: a point that begins before what is kept has only a part of its readings.
            compare(world, step, 358, false)
            compare(world, 1000, 14, true)
          }
          expect(world.wrong).toEqual([])
        } finally {
          while (world.holds.length > 0) world.let()
          for (const member of members.values()) {
            for (const end of member.held) end()
            await member.sessions.drain({ finishWithin: 0 })
          }
        }
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)
