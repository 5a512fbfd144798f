import fc from "fast-check"
import { expect, test } from "vitest"
import { ranks, Timed, Timetable, type Rank } from "../../src/time/Timetable.ts"
import type { TimeSource } from "../../src/time/TimeSource.ts"

const failTest = (error: unknown): never => {
  throw error
}

/** Two alarms and a clock that moves by hand; an alarm rings once, when it is due. */
class HandTime implements TimeSource {
  at = 0
  readonly alarms: Array<{ at: number; held: boolean; readonly ring: () => void }> = []
  readonly #soon: Array<() => void> = []
  readonly now = (): number => this.at
  readonly epoch = (): number => this.at
  readonly soon = (work: () => void): void => void this.#soon.push(work)
  readonly alarm = (ring: () => void): ReturnType<TimeSource["alarm"]> => {
    const own = { at: Infinity, held: false, ring }
    this.alarms.push(own)
    return {
      set: (delay) => {
        own.at = this.at + Math.max(0, delay)
      },
      hold: (held) => {
        own.held = held
      },
      clear: () => {
        own.at = Infinity
      },
    }
  }
  /** Rings whatever is due, in the order of time, as a loop would. */
  advance(ms: number): void {
    const end = this.at + ms
    for (;;) {
      for (const work of this.#soon.splice(0)) work()
      const next = this.alarms.reduce((a, b) => (b.at < a.at ? b : a))
      if (next.at > end) break
      this.at = Math.max(this.at, next.at)
      next.at = Infinity
      next.ring()
    }
    this.at = end
  }
  get holds(): boolean {
    return this.alarms.some((alarm) => alarm.held)
  }
}

class Entry extends Timed {
  readonly name: number
  readonly #told: Array<number>
  constructor(name: number, told: Array<number>) {
    super()
    this.name = name
    this.#told = told
  }
  due(): void {
    this.#told.push(this.name)
  }
}
const heldRanks: ReadonlySet<Rank> = new Set(
  ranks.filter((rank) => !["silence", "lease", "recycle", "forget", "idle"].includes(rank)),
)

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ add: fc.constantFrom(...ranks), duration: fc.integer({ min: 0, max: 12 }) }),
    },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat({ max: 20 }) }) },
    { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 6 }) }) },
  ),
  { maxLength: 80 },
)

test("L23: against a sorted array: each once, never early, within a tick in the order of the ranks, held while anyone waits", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const time = new HandTime()
      const told: Array<number> = []
      const table = new Timetable(time, () => {}, failTest)
      let model: Array<{ readonly entry: Entry; readonly at: number; readonly rank: Rank }> = []
      let names = 0
      for (const step of all) {
        if ("add" in step) {
          const entry = new Entry(++names, told)
          table.list(step.add, step.duration).add(entry, time.at)
          model.push({ entry, at: time.at + step.duration, rank: step.add })
        } else if ("remove" in step) {
          const one = model[step.remove % Math.max(1, model.length)]
          table.drop(one?.entry)
          model = model.filter((other) => other !== one)
        } else {
          const end = time.at + step.advance
          const due = model
            .filter((one) => one.at <= end)
            .toSorted(
              (a, b) =>
                a.at - b.at || ranks.indexOf(a.rank) - ranks.indexOf(b.rank) || a.entry.name - b.entry.name,
            )
          model = model.filter((one) => one.at > end)
          const before = told.length
          time.advance(step.advance)
          expect(told.slice(before)).toEqual(byTick(due))
        }
        expect(time.holds).toBe(model.some((one) => heldRanks.has(one.rank)))
        for (const { entry } of model) expect(entry.list).toBeDefined()
      }
      time.advance(20)
      expect(new Set(told).size).toBe(told.length)
      expect(time.holds).toBe(false)
    }),
    { numRuns: 500 },
  )
})

/** What the model says, and what happened, may differ only among equals: one moment, one rank, different lengths. */
const byTick = (
  due: ReadonlyArray<{ readonly entry: Entry; readonly at: number; readonly rank: Rank }>,
): unknown => {
  const groups = Map.groupBy(due, (one) => `${one.at} ${one.rank}`)
  return {
    asymmetricMatch: (told: ReadonlyArray<number>) => {
      let index = 0
      for (const group of groups.values()) {
        const part = new Set(told.slice(index, index + group.length))
        if (part.size !== group.length || group.some((one) => !part.has(one.entry.name))) return false
        index += group.length
      }
      return index === told.length
    },
    toString: () =>
      `in order: ${[...groups].map(([key, group]) => `${key}: ${group.map((one) => one.entry.name).join(",")}`).join(" | ")}`,
  }
}

test("L23: first in, first out within one list", () => {
  const time = new HandTime()
  const told: Array<number> = []
  const table = new Timetable(time, () => {}, failTest)
  for (let name = 0; name < 50; name++) table.list("queue", 5).add(new Entry(name, told), time.at)
  time.advance(5)
  expect(told).toEqual(Array.from({ length: 50 }, (_, name) => name))
})

test("L23: a length too large to be counted keeps its rank, and nothing is ever due early", () => {
  const time = new HandTime()
  const told: Array<number> = []
  const table = new Timetable(time, () => {}, failTest)
  const lists = new Set(ranks.map((rank) => table.list(rank, Number.MAX_SAFE_INTEGER)))
  expect(lists.size).toBe(ranks.length)
  for (const huge of [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, 1e300, Infinity])
    table.list("seat", huge).add(new Entry(1, told), 0)
  time.advance(2 ** 31 - 1)
  expect(told).toEqual([])
})

test("L8: a wave of idle ones works in slices; what they make due is carried out slice by slice", () => {
  const time = new HandTime()
  const told: Array<number> = []
  let committed = 0
  const table = new Timetable(time, () => void committed++, failTest)
  const list = table.keptList("idle", 10)
  for (let name = 0; name < 300; name++) list.add(new Entry(name, told), 0)
  time.at = 10
  time.alarms[1]?.ring()
  expect(told.length).toBe(64)
  time.advance(0)
  expect(told.length).toBe(300)
  expect(committed).toBeGreaterThanOrEqual(300)
})

test("L26: lists of many different lengths do not pile up once they are empty", () => {
  const time = new HandTime()
  const table = new Timetable(time, () => {}, failTest)
  const told: Array<number> = []
  const lists: Array<unknown> = []
  for (let length = 1; length <= 2000; length++) {
    const list = table.list("caller", length)
    lists.push(list)
    list.add(new Entry(length, told), time.at)
    time.advance(length)
  }
  expect(told.length).toBe(2000)
  const kept = lists.filter((list, index) => table.list("caller", index + 1) === list)
  expect(kept.length).toBeLessThanOrEqual(65)
})
