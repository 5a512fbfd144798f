/**
 * Measures what profiling costs while it is on, and that it costs nothing when it is off. Run it alone:
 * `node packages/inspector/test/profile/measure.ts`.
 */
import { createSessions } from "@sojourn/core"
import { performance } from "node:perf_hooks"
import { setTimeout as pass } from "node:timers/promises"
import { beginAttribution } from "../../src/profile/attribute.ts"
import { cpuProfile } from "../../src/profile/cpuProfile.ts"

const sessions = createSessions({ name: "measured", open: () => ({}) })
await sessions.run("a", () => 1)
const settled = Promise.resolve()
const awaits = async (): Promise<number> => {
  const times = 200_000
  const began = performance.now()
  for (let time = 0; time < times; time++) await settled
  return ((performance.now() - began) / times) * 1e6
}
const runs = async (): Promise<number> => {
  const times = 50_000
  const began = performance.now()
  for (let time = 0; time < times; time++) await sessions.run("a", () => time)
  return ((performance.now() - began) / times) * 1e6
}
const least = (values: ReadonlyArray<number>): string => `${Math.min(...values).toFixed(0)} ns`

const off: Array<number> = []
const on: Array<number> = []
const after: Array<number> = []
const runsOff: Array<number> = []
const runsOn: Array<number> = []
const runsAfter: Array<number> = []
await awaits()
await runs()
for (let round = 0; round < 8; round++) {
  off.push(await awaits())
  runsOff.push(await runs())
}
for (let round = 0; round < 8; round++) {
  const under = await beginAttribution()
  on.push(await awaits())
  runsOn.push(await runs())
  const { overheadMs, stretches } = under.end()
  if (round === 7)
    console.log(`it says itself: ${((overheadMs / stretches) * 1e6).toFixed(0)} ns for each stretch`)
  after.push(await awaits())
  runsAfter.push(await runs())
}
console.log(`an await: never on ${least(off)}, on ${least(on)}, after it was on ${least(after)}`)
console.log(
  `a warm run: never on ${least(runsOff)}, on ${least(runsOn)}, after it was on ${least(runsAfter)}`,
)

const alone = await runs()
const profiled = cpuProfile({ forMs: 10_000 })
await pass(100)
const during: Array<number> = []
for (let round = 0; round < 5; round++) during.push(await runs())
let longest = 0
let before = performance.now()
const beat = setInterval(() => {
  longest = Math.max(longest, performance.now() - before)
  before = performance.now()
}, 1)
const { profile } = await profiled
clearInterval(beat)
console.log(
  `CPU profile of 10 s: a warm run ${alone.toFixed(0)} ns before and ${least(during)} while it lasts; ${profile.samples?.length} samples, ${(JSON.stringify(profile).length / 1e6).toFixed(1)} MB, longest pause ${longest.toFixed(0)} ms`,
)
await sessions.drain()
