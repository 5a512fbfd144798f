import type { Run } from "@sojourn/core/inspect"
import { expect, test } from "vitest"
import { Slices } from "../../src/profile/Slices.ts"

const runOf = (key: string): Run => ({
  kind: "turn",
  session: { key, registry: { name: "kind" } },
  task: { id: "t1", name: "work" },
  made: undefined,
})
/** Time that the test moves; `idle` is the part of it in which the loop waited. */
const moving = () => {
  const time = { now: 0, idle: 0, run: undefined as Run | undefined }
  const slices = new Slices({ now: () => time.now, idle: () => time.idle, currentRun: () => time.run })
  const times = () => Object.fromEntries([...slices.rows.values()].map(({ key, selfMs }) => [key, selfMs]))
  const waited = (ms: number): void => {
    time.now += ms
    time.idle += ms
  }
  return { slices, time, times, waited }
}

test("what is called from a stretch is taken out of its time, however deep", () => {
  const { slices, time, times } = moving()
  const [a, b, c] = ["a", "b", "c"].map(runOf)
  slices.before(a, false)
  time.now += 1
  slices.before(b, true)
  time.now += 10
  slices.before(c, true)
  time.now += 100
  slices.after()
  time.now += 20
  slices.after()
  time.now += 2
  slices.after()
  expect(times()).toEqual({ a: 3, b: 30, c: 100 })
  expect([...slices.rows.values()].map(({ longestMs }) => longestMs)).toEqual([3, 30, 100])
})

test("a scope that is entered as another run is that one's from then on", () => {
  const { slices, time, times } = moving()
  const [a, b] = ["a", "b"].map(runOf)
  slices.before(a, true)
  time.now += 1
  slices.entered(b)
  slices.entered(b)
  time.now += 5
  slices.entered(undefined)
  time.now += 7
  slices.after()
  expect(times()).toEqual({ a: 1, b: 5 })
  expect(slices.host.selfMs).toBe(7)
})

test("what is found late has not waited: the time in which the loop did is nobody's", () => {
  const { slices, time, times, waited } = moving()
  const a = runOf("a")
  slices.before(a, false)
  time.now += 3
  slices.after()
  waited(500)
  time.now += 4
  time.run = runOf("b")
  slices.promise()
  waited(200)
  // Node begins a callback: what was before it is not its.
  time.now += 1
  slices.before(a, false)
  slices.after()
  // Code that was not told of calls something.
  waited(300)
  time.now += 6
  slices.before(a, true)
  slices.after()
  expect(times()).toEqual({ a: 3, b: 10 })
  expect(slices.inferredMs).toBe(10)
})

test("ends of what began before anybody watched are not taken for others, and a run that is over is not its session's", () => {
  const { slices, time } = moving()
  slices.after()
  slices.entered(runOf("a"))
  const run: { -readonly [K in keyof Run]: Run[K] } = runOf("b")
  slices.before(run, false)
  time.now += 1
  slices.after()
  run.session = undefined
  slices.before(run, false)
  time.now += 2
  slices.after()
  slices.before({ ...runOf("c"), session: undefined, made: { name: "kind", key: "c" } }, false)
  time.now += 4
  slices.after()
  expect([...slices.rows.values()].map(({ key, over, selfMs, what }) => [key, what, over, selfMs])).toEqual([
    ["b", "turn", false, 1],
    ["b", "turn", true, 2],
    ["c", "resource", false, 4],
  ])
})

test("sessions beyond the rows that are kept are counted together", () => {
  const { slices, time } = moving()
  for (let key = 0; key < 20_005; key++) {
    slices.before(runOf(`k${key}`), false)
    time.now += 1
    slices.after()
  }
  expect(slices.rows.size).toBe(20_000)
  expect(slices.others.selfMs).toBe(5)
})
