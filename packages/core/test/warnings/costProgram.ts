/**
 * What a look costs with many sessions: `node packages/core/test/warnings/costProgram.ts [idle] [busy] [leased]`. Prints milliseconds.
 * Looks are made one by one, with `busy` turns on other sessions and as many running tasks between them.
 */
import { createSessionsWith } from "../../src/face/createSessions.ts"
import { VirtualClock } from "../../src/testing/VirtualClock.ts"
import { timeSource } from "../../src/time/TimeSource.ts"
import { makeWatch, watchWith } from "../../src/warnings/watchWarnings.ts"

const [idle = 100_000, busy = 2_000, leased = 0] = process.argv.slice(2).map(Number)
const looks = 400

const clock = new VirtualClock(async () => {})
const { sessions } = createSessionsWith(
  {
    name: "cost",
    open: () => ({}),
    maxSessions: Infinity,
    idleTimeout: "Infinity",
    timeouts: { silence: "Infinity", lease: "Infinity" },
  },
  { clock },
)
for (let n = 0; n < idle; n++) await sessions.run(`idle-${n}`, () => 1)
for (let n = 0; n < leased; n++) await sessions.lease(`leased-${n}`)

const watch = makeWatch({ time: timeSource(clock) })
using warnings = watchWith(watch, { sessions: [sessions], log: false })
const time = (): number => {
  const begun = performance.now()
  watch.look(0)
  return performance.now() - begun
}
const show = (what: string, times: ReadonlyArray<number>): void => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(3)
  process.stdout.write(`${what}: median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms\n`)
}
const measure = async (what: string, between: (look: number) => unknown, count = looks): Promise<void> => {
  const times: Array<number> = []
  for (let look = 0; look < count; look++) {
    await between(look)
    clock.now += 1000
    times.push(time())
  }
  show(what, times)
}

process.stdout.write(`${idle} idle sessions, ${leased} leased, ${busy} busy\n`)
await measure("the first looks, at what was there before", () => {}, Math.ceil((idle + leased) / 2000) + 1)
await measure("nothing happens", () => {})
const turns = async (look: number): Promise<void> => {
  for (let n = 0; n < busy; n++) await sessions.run(`idle-${(look * busy + n) % Math.max(1, idle)}`, () => 1)
}
await measure(`${busy} sessions had a turn`, turns)
const held = Promise.withResolvers<void>()
const hold = (key: string, silence: number): void =>
  void sessions.run(key, () => held.promise, { silence }).catch(() => {})
for (let n = 0; n < busy; n++) hold(`busy-${n}`, Infinity)
await measure(`${busy} sessions run one task`, () => {})
for (let n = 0; n < busy; n++) hold(`busy-${n}`, Infinity)
await measure(`${busy} sessions run one task, and one waits`, () => {})
await measure(`the same, and ${busy} others had a turn`, turns)
process.stdout.write(`warnings raised: ${warnings.active().length}\n`)
for (let n = 0; n < busy; n++) hold(`late-${n}`, 3_600_000)
await measure("the same, while as many are overdue", () => {})
process.stdout.write(`warnings raised: ${warnings.active().length}\n`)
