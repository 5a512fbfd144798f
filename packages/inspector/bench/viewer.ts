/**
 * What one who looks at 100 000 sessions once a second costs the server: `node packages/inspector/bench/viewer.ts [sessions]`. Real
 * sessions, of which each twentieth is busy and each hundredth changes between two looks. The budget is 10 ms a second.
 */
import { createSessions } from "@sojourn/core"
import { inspectionOf, type Inspection } from "@sojourn/core/inspect"
import { Inspector } from "../src/handler/Inspector.ts"
import type { StreamAsked } from "../src/protocol/decode.ts"
import { decodeStreamQuery } from "../src/protocol/decode.ts"
import { sessionsWindow } from "../src/windows/sessionsWindow.ts"
import { tasksWindow } from "../src/windows/tasksWindow.ts"

const count = Number(process.argv[2] ?? 100_000)
const rounds = 40

const rooms = createSessions({
  name: "room",
  open: ({ key }) => ({ key }),
  maxSessions: count + 1,
  idleTimeout: "1 hour",
})
let wake = (): void => {}
const woken = new Promise<void>((resolve) => {
  wake = resolve
})
for (let index = 0; index < count; index += 1000)
  await Promise.all(
    Array.from({ length: Math.min(1000, count - index) }, (_, at) =>
      rooms.run(`room-${index + at}`, () => undefined, { name: "enter" }),
    ),
  )
for (let index = 0; index < count; index += 20) void rooms.run(`room-${index}`, () => woken, { name: "stay" })
await Promise.resolve()

const change = async (): Promise<void> => {
  const some = Array.from({ length: count / 100 }, () => Math.floor(Math.random() * count))
  await Promise.all(
    some.filter((room) => room % 20 !== 0).map((room) => rooms.run(`room-${room}`, () => undefined)),
  )
}
/** Milliseconds of this thread: what else the machine does is not counted. Some kernels tell it in steps of 4. */
const cpu = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1000
}
const quantile = (sorted: ReadonlyArray<number>, share: number): string =>
  (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(2)

const measured = async (name: string, look: () => unknown): Promise<void> => {
  const took: Array<number> = []
  let used = 0
  for (let round = -5; round < rounds; round++) {
    await change()
    const began = performance.now()
    const before = cpu()
    look()
    // The first ones are not compiled yet.
    if (round < 0) continue
    used += cpu() - before
    took.push(performance.now() - began)
  }
  const sorted = took.toSorted((a, b) => a - b)
  console.log(
    `${name.padEnd(58)} processor ${(used / rounds).toFixed(2)} ms; fastest ${quantile(sorted, 0)}, median ${quantile(sorted, 0.5)} ms`,
  )
}

const inspector = new Inspector([rooms], undefined)
const shown = new Inspector([rooms], ({ id }) => id)
const inspections: ReadonlyArray<Inspection> = [inspectionOf(rooms)].filter((one) => one !== undefined)
const sessions = (query: Parameters<typeof sessionsWindow>[1], from = inspector) =>
  sessionsWindow(inspections, query, from.context)

console.log(
  `${count} sessions, ${count / 20} of them busy, ${count / 100} used between two looks; Node ${process.version}`,
)
await measured("sessions, usual order, 60 rows", () => sessions({ limit: 60 }))
await measured("sessions, -idleSince, 60 rows", () => sessions({ limit: 60, sort: "-idleSince" }))
await measured("sessions, running ones only, -queued, 60 rows", () =>
  sessions({ limit: 60, sort: "-queued", idle: false }),
)
await measured("sessions, -turns, 200 rows from 5 000 on", () =>
  sessions({ limit: 200, offset: 5000, sort: "-turns" }),
)
await measured("sessions, openedAt, 60 rows from the middle", () =>
  sessions({ limit: 60, offset: count / 2, sort: "openedAt" }),
)
let unsearched = 1
let looks = 0
for (; unsearched > 0; looks++) unsearched = sessions({ text: "room-77", limit: 60 }, shown).unsearched
console.log(`a search by text has seen all names after ${looks} looks`)
await measured("sessions, text in shown names, 60 rows", () =>
  sessions({ text: "room-77", limit: 60 }, shown),
)
await measured("tasks, usual order, 60 rows", () =>
  tasksWindow(inspections, { limit: 60 }, inspector.context),
)

const live = async (name: string, search: string): Promise<void> => {
  const asked: StreamAsked = decodeStreamQuery(search)
  const viewer = await inspector.watch(asked, undefined)
  viewer.take()
  // What a beat does, and the frame that comes of it.
  const channel = viewer.channel
  let bytes = 0
  await measured(name, () => {
    channel.look()
    bytes = viewer.take()?.length ?? 0
  })
  console.log(`${"".padEnd(58)} the last frame has ${bytes} characters`)
  viewer.leave()
}
await live(
  "a frame: overview, sessions, warnings; 60 rows",
  "view=overview,sessions,warnings&limit=60&everyMs=10000",
)
await live(
  "a frame: overview, tasks, events, series; 60 rows",
  "view=overview,tasks,events,series&limit=60&everyMs=10000",
)

wake()
inspector.dispose()
shown.dispose()
await rooms.drain({ finishWithin: 0 })
