import { createSessions } from "@sojourn/core"
import { testSessions } from "@sojourn/core/testing"
import { setTimeout as pass } from "node:timers/promises"
import { afterEach, expect, test } from "vitest"
import { kindSeries, processSeries } from "../../src/history/catalogue.ts"
import { History, processHistory } from "../../src/history/History.ts"
import { Kind } from "../../src/history/Kind.ts"
import { Pages } from "../../src/history/Pages.ts"
import { HistoryRefused, type SeriesQuery } from "../../src/history/read.ts"
import { HandClock } from "./support.ts"

const open = () => ({})
const cleanups: Array<Disposable> = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup[Symbol.dispose]()
})
const watching = (options: ConstructorParameters<typeof History>[0] = {}) => {
  const clock = new HandClock()
  const history = new History({ clock, ...options })
  cleanups.push(history.hold())
  return { clock, history }
}
/** Each second, as it was read. */
const seconds = (history: History, query: SeriesQuery = {}) => history.series({ points: 3600, ...query })
const column = (history: History, kind: string | undefined, name: string) =>
  seconds(history, { names: [name], ...(kind === undefined ? {} : { kinds: [kind] }) }).columns.find(
    (one) => one.name === name && one.kind === kind,
  )
const last = (history: History, kind: string | undefined, name: string) =>
  column(history, kind, name)?.values.at(-1)

test("what happened in a second is in that second's column", async () => {
  await using sessions = createSessions({ name: "shop", open })
  const { clock, history } = watching()
  await sessions.run("a", () => 1, { name: "look" })
  await sessions.run("a", () => 2)
  await sessions.run("b", () => Promise.reject(new Error("no"))).catch(() => {})
  clock.next()
  const value = (name: string) => last(history, "shop", name)
  expect(value("sessions.Ready")).toBe(2)
  expect(value("sessions.idle")).toBe(2)
  expect([value("started"), value("ended.succeeded"), value("ended.failed")]).toEqual([3, 2, 1])
  expect([value("opens.succeeded"), value("acquired.miss"), value("acquired.hit")]).toEqual([2, 2, 1])
  expect(value("reuse")).toBeCloseTo(1 / 3, 3)
  await sessions.close("a")
  clock.next()
  expect([value("closes.Requested"), value("sessions.Ready"), value("started")]).toEqual([1, 1, 0])
  // Nothing was used and nothing ended: there is no ratio and no percentile, which is not a gap.
  expect([value("reuse"), value("runs.p95")]).toEqual([null, null])
  expect(seconds(history).covered.slice(-2)).toEqual([1, 1])
})

test("nothing is looked at before somebody holds it, and nothing after", async () => {
  await using sessions = createSessions({ name: "held", open })
  const clock = new HandClock()
  const history = new History({ clock })
  expect(clock.waiting).toBe(false)
  const holds = [history.hold(), history.hold()]
  expect(history.newest).toBeUndefined()
  await sessions.run("a", () => 1)
  clock.next()
  expect(history.newest).toBe(clock.now)
  holds[0]?.[Symbol.dispose]()
  holds[0]?.[Symbol.dispose]()
  expect(clock.waiting).toBe(true)
  holds[1]?.[Symbol.dispose]()
  expect(clock.waiting).toBe(false)
  expect(history.kinds().map(({ live }) => live)).toEqual([false])
  // What went on meanwhile belongs to no reading.
  await sessions.run("a", () => 2)
  clock.pass(5000)
  using again = history.hold()
  expect(again).toBeDefined()
  clock.next()
  const { covered } = seconds(history, { names: ["started"] })
  expect(covered.slice(-7)).toEqual([1, 0, 0, 0, 0, 0, 1])
  expect(column(history, "held", "started")?.values.slice(-7)).toEqual([1, null, null, null, null, null, 0])
})

test("a look that comes late leaves a gap, and shows the rate of the whole time it covers", async () => {
  await using sessions = createSessions({ name: "stalled", open })
  const { clock, history } = watching()
  clock.next()
  for (let turn = 0; turn < 40; turn++) await sessions.run("a", () => turn)
  clock.next(3000)
  clock.next()
  expect(column(history, "stalled", "started")?.values.slice(-6)).toEqual([0, null, null, null, 10, 0])
  expect(seconds(history).covered.slice(-6)).toEqual([1, 0, 0, 0, 1, 1])
  expect(history.cost.missed).toBe(3)
  // A little late is not a gap.
  for (let turn = 0; turn < 5; turn++) {
    clock.next(400)
    clock.next(0)
  }
  expect(seconds(history).covered.slice(-10)).toEqual(Array.from({ length: 10 }, () => 1))
})

test("ten seconds have the percentiles of all that ended in them, not of their seconds", async () => {
  const kit = testSessions({ name: "slow", open, concurrency: 50 })
  await using _ = kit
  const { clock, history } = watching({ sessions: [kit.sessions] })
  while (clock.now % 10_000 !== 9000) clock.next()
  // Each second 99 turns are over at once and wait for nobody; in one of the seconds a single one waits for a long time.
  clock.next()
  for (let second = 0; second < 10; second++) {
    for (let turn = 0; turn < 30; turn++) await kit.sessions.run("fast", () => turn, { name: "quick" })
    if (second === 4) {
      let end = (): void => {}
      const held = kit.sessions.run("one", () => new Promise<void>((resolve) => (end = resolve)), {
        whenBusy: "queue",
      })
      await pass(120)
      end()
      await held
    }
    clock.next()
  }
  const fine = history.series({ kinds: ["slow"], names: ["runs.p95"], step: 1000 }).columns[0]
  const coarse = history.series({ kinds: ["slow"], names: ["runs"], step: 10_000 })
  const at = (name: string) => coarse.columns.find((one) => one.name === name)?.values.at(-1)
  expect(coarse.readingMs).toBe(10_000)
  expect(fine?.shows).toBe("max")
  expect(at("runs.p50")).toBe(at("runs.p95"))
  const heat = history.heatmap({ kinds: ["slow"], span: "runs", step: 10_000 })
  expect(heat.counts.at(-1)?.reduce((sum, count) => sum + count, 0)).toBe(301)
})

test("a registry that comes later begins then; one that drained stays until it is out of the rings", async () => {
  const { clock, history } = watching()
  clock.next()
  clock.next()
  const first = createSessions({ name: "guest", open })
  await first.run("a", () => 1)
  clock.next()
  expect(column(history, "guest", "started")?.values.slice(-3)).toEqual([null, null, 1])
  await first.run("a", () => 2)
  await first.drain()
  clock.next()
  clock.next()
  expect(column(history, "guest", "started")?.values.slice(-3)).toEqual([1, 1, null])
  expect(history.kinds().find(({ kind }) => kind === "guest")?.live).toBe(false)
  // Another of its name goes on in its columns, and what the first one had counted is not taken from it.
  const second = createSessions({ name: "guest", open })
  await second.run("a", () => 3)
  clock.next()
  await second.drain()
  clock.next()
  expect(column(history, "guest", "started")?.values.slice(-5)).toEqual([1, 1, null, 1, 0])
  clock.now += 6 * 3_600_000 - 5000
  clock.next()
  expect(history.kinds().map(({ kind }) => kind)).toContain("guest")
  clock.now += 10_000
  clock.next()
  expect(history.kinds().map(({ kind }) => kind)).not.toContain("guest")
})

test("two registries of one name in one list are one kind", async () => {
  const first = createSessions({ name: "twin", open })
  await first.run("a", () => 1)
  const draining = first.drain()
  await draining
  await using second = createSessions({ name: "twin", open })
  await second.run("a", () => 1)
  const { clock, history } = watching({ sessions: [first, second] })
  clock.next()
  expect(history.kinds().map(({ kind }) => kind)).toEqual(["twin"])
  expect(last(history, "twin", "sessions.Ready")).toBe(1)
})

test("kinds beyond the bound are added up as `other`", async () => {
  const all = Array.from({ length: 5 }, (_, index) => createSessions({ name: `many-${index}`, open }))
  const { clock, history } = watching({ sessions: all, maxKinds: 3 })
  for (const sessions of all) await sessions.run("a", () => 1)
  clock.next()
  expect(history.kinds().map(({ kind }) => kind)).toEqual(["many-0", "many-1", "many-2", "other"])
  expect(last(history, "other", "sessions.Ready")).toBe(2)
  expect(last(history, "other", "started")).toBe(2)
  const together = history.series({ names: ["started", "reuse"], together: true })
  expect(together.columns.map(({ kind, name, values }) => [kind, name, values.at(-1)])).toEqual([
    [undefined, "started", 5],
    [undefined, "reuse", 0],
  ])
  for (const sessions of all) await sessions.drain()
})

test("a registry called __proto__ is one like any other", async () => {
  await using sessions = createSessions({ name: "__proto__", open })
  const { clock, history } = watching({ sessions: [sessions] })
  const told: Array<unknown> = []
  history.watch(({ kinds }) => told.push(kinds.map(({ kind }) => kind)))
  history.watch(() => {
    throw new Error("its own affair")
  })
  await sessions.run("a", () => 1)
  clock.next()
  expect(last(history, "__proto__", "started")).toBe(1)
  expect(told).toEqual([["__proto__"]])
})

test("a clock that is set back does not make two pasts", async () => {
  await using sessions = createSessions({ name: "back", open })
  const { clock, history } = watching()
  for (let second = 0; second < 30; second++) clock.next()
  await sessions.run("a", () => 1)
  clock.now -= 20_000
  clock.next()
  const { start, points, covered, stepMs } = history.series({
    kinds: ["back"],
    names: ["started"],
    points: 3600,
  })
  expect(start + points * stepMs).toBe(clock.now)
  expect(covered.filter((share) => share > 0)).toHaveLength(11)
  expect(last(history, "back", "started")).toBe(1)
  // A little is waited for: no second is read twice.
  clock.now -= 1500
  clock.next()
  clock.next()
  clock.next()
  expect(seconds(history, { names: ["process"] }).covered.at(-1)).toBe(1)
})

test("the process: a loop that stood still is late by that, and was busy", async () => {
  const { clock, history } = watching({ sessions: [] })
  // The first look of Node's own timer is where it begins to measure.
  await pass(60)
  const until = performance.now() + 250
  while (performance.now() < until);
  await pass(60)
  clock.next()
  expect(last(history, undefined, "process.loopDelayMax")).toBeGreaterThan(150)
  expect(last(history, undefined, "process.utilization")).toBeGreaterThan(0.3)
  expect(last(history, undefined, "process.heapUsed")).toBeGreaterThan(1e6)
  expect(last(history, undefined, "process.rss")).toBeGreaterThan(1e7)
  await pass(100)
  clock.next()
  // It is reset by each look, and what Node's own timer takes is not in it.
  expect(last(history, undefined, "process.loopDelayMax")).toBeLessThan(100)
})

test("what Node's own timer takes is not called late", async () => {
  const { clock, history } = watching({ sessions: [] })
  // However busy the machine is, in one of many looks the loop was in time.
  let least = Infinity
  for (let look = 0; look < 40 && least >= 15; look++) {
    await pass(50)
    clock.next()
    least = Math.min(least, last(history, undefined, "process.loopDelayMax") ?? Infinity)
  }
  expect(least).toBeLessThan(15)
})

test("seventy series that never rest are under 2 MB", () => {
  const pages = new Pages(1e9)
  const kind = new Kind("dense", pages)
  const values = new Float64Array(kindSeries.length)
  const { block } = kind
  for (let slot = 0; slot < 6 * 3600; slot++) {
    for (let at = 0; at < values.length; at++) values[at] = slot + at + 1
    block.write(slot, 1, values)
  }
  const bytes = (pages.bytes + kind.bytes) / (kindSeries.length + processSeries.length)
  expect(kindSeries.length + processSeries.length).toBeGreaterThan(60)
  expect(bytes * 70).toBeLessThan(2 * 1024 * 1024)
})

test("hostile questions get an answer or a refusal, never a large one", async () => {
  await using sessions = createSessions({ name: "asked", open })
  const { clock, history } = watching({ sessions: [sessions] })
  expect(history.series()).toMatchObject({ points: 0, columns: expect.anything() as unknown })
  for (let second = 0; second < 5; second++) clock.next()
  for (const odd of [Number.NaN, Infinity, -Infinity, -1, 0, 1e300, 0.5, Number.MAX_SAFE_INTEGER])
    for (const field of ["from", "to", "step", "points"]) {
      const answer = history.series({ [field]: odd, names: ["started"] })
      expect(answer.points).toBeLessThanOrEqual(3600)
      expect(answer.columns.every(({ values }) => values.length === answer.points)).toBe(true)
      expect(answer.covered).toHaveLength(answer.points)
      expect(history.heatmap({ span: "waits", [field]: odd }).counts).toHaveLength(answer.points)
    }
  expect(history.series({ kinds: ["nobody"], names: ["nothing"] }).columns).toEqual([])
  const many = Array.from({ length: 20 }, (_, index) => createSessions({ name: `crowd-${index}`, open }))
  const { clock: later, history: large } = watching({ sessions: many })
  later.next()
  expect(() => large.series({ points: 3600, from: 0 })).toThrow(HistoryRefused)
  expect(() => large.series({ points: 60, from: 0 })).not.toThrow()
  for (const one of many) await one.drain()
})

test("one history of the process for all who ask, and its timer keeps nothing alive", () => {
  expect(processHistory()).toBe(processHistory())
  const kept = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length
  const before = kept()
  using hold = processHistory().hold()
  expect(hold).toBeDefined()
  expect(kept()).toBe(before)
})
