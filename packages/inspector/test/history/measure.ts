/**
 * Measures one look, with many kinds and many sessions, and what is kept after six hours of work. Run it alone:
 * `node packages/inspector/test/history/measure.ts [kinds] [sessions]`.
 */
import { createSessions } from "@sojourn/core"
import { performance } from "node:perf_hooks"
import { History } from "../../src/history/History.ts"
import { HandClock } from "./support.ts"

const kinds = Number(process.argv[2] ?? 10)
const sessions = Number(process.argv[3] ?? 100_000)
const looks = 2000

const clock = new HandClock()
const history = new History({ clock })
const registries = Array.from({ length: kinds }, (_, index) =>
  createSessions({
    name: `kind-${index}`,
    maxSessions: sessions,
    maxPerOwner: sessions,
    idleTimeout: Infinity,
    open: () => ({}),
  }),
)
for (let session = 0; session < sessions; session++)
  await registries[session % kinds]?.run(`session-${session}`, () => session)
using hold = history.hold()
void hold

const median = (values: Array<number>): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0
const at = (values: Array<number>, share: number): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? 0

const quiet: Array<number> = []
const busy: Array<number> = []
for (let look = 0; look < looks; look++) {
  if (look % 2 === 1) {
    for (const [index, registry] of registries.entries())
      for (let turn = 0; turn < 5; turn++)
        await registry.run(`session-${index + kinds * ((look * 7 + turn) % 100)}`, () => look, {
          name: `task-${turn}`,
        })
  }
  const began = performance.now()
  clock.next()
  ;(look % 2 === 1 ? busy : quiet).push(performance.now() - began)
}
const told = (name: string, values: Array<number>): void =>
  console.log(
    `${name}: median ${(median(values) * 1000).toFixed(0)} µs, p99 ${(at(values, 0.99) * 1000).toFixed(0)} µs, most ${(Math.max(...values) * 1000).toFixed(0)} µs`,
  )
console.log(`${kinds} kinds, ${sessions} sessions, ${looks} looks`)
told("a look, nothing done since the last", quiet)
told("a look, 5 tasks of each kind since the last", busy)

const reading: Array<number> = []
for (let time = 0; time < 50; time++) {
  const began = performance.now()
  history.series({ kinds: ["kind-0"], names: ["sessions", "ended", "runs", "waits", "process"] })
  reading.push(performance.now() - began)
}
told("reading 24 series of one kind, 300 points", reading)

for (let look = 0; look < 6 * 3600; look++) {
  if (look % 10 === 0) {
    for (const [index, registry] of registries.entries())
      await registry.run(`session-${index + kinds * (look % 100)}`, () => look)
  }
  clock.next()
}
console.log(
  `kept after six hours: ${(history.cost.bytes / 1024 / 1024).toFixed(2)} MiB for ${kinds} kinds and the process`,
)
await Promise.all(registries.map((registry) => registry.drain()))
