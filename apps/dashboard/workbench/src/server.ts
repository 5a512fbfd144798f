/**
 * A server of many sessions, scripted, in a thread of its own: what it costs to sort and to filter is no work of the page.
 * The same seed gives the same sessions and the same changes.
 */
import { hostile } from "./hostile.ts"
import {
  latencyBounds,
  states,
  type ColumnId,
  type Delta,
  type FromServer,
  type Point,
  type Question,
  type SessionRow,
  type State,
  type ToServer,
} from "./rows.ts"

const post = (message: FromServer) => globalThis.postMessage(message)

let seed = 0x5eed
const random = (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}
const whole = (below: number): number => Math.floor(random() * below)

/** In the script's own time, which begins here and goes on a second with each step. */
let now = 1_760_000_000_000
let stepsDone = 0
let live = false
let dropped = 0
let rows: Array<SessionRow> = []
let versions = new Uint32Array(0)

const kinds = ["chat", "notebook", "mcp", "page"]
const state = (): State => {
  const at = random()
  return at < 0.86 ? "Ready" : (states[1 + whole(states.length - 1)] ?? "Ready")
}
const times = () => ({ queuedMs: whole(3000), runningMs: whole(9000), suspendedMs: whole(4000) })

const makeRow = (index: number, awful: boolean): SessionRow => {
  const openedAt = now - whole(7_200_000)
  const idle = random() < 0.4
  const idleSince = idle ? now - whole(600_000) : undefined
  return {
    id: index.toString(16).padStart(16, "0"),
    name: awful
      ? (hostile[index % hostile.length]?.[1] ?? "")
      : `${kinds[index % 4]} ${(index * 7919) % 1_000_003}`,
    kind: kinds[index % kinds.length] ?? "chat",
    state: state(),
    queued: idle ? 0 : whole(40),
    running: idle ? 0 : whole(4),
    turns: whole(5000),
    openedAt,
    idleSince,
    closesAt: idleSince === undefined ? undefined : idleSince + 900_000,
    ...times(),
    recent: Array.from({ length: 20 }, () => (random() < 0.05 ? null : whole(30))),
  }
}

/** One of a hundred sessions is another one afterwards. */
const step = () => {
  stepsDone += 1
  now = live ? Date.now() : now + 1000
  for (let changed = Math.ceil(rows.length / 100); changed > 0; changed -= 1) {
    const index = whole(rows.length)
    const row = rows[index]
    if (row === undefined) continue
    const queued = Math.max(0, row.queued + whole(7) - 3)
    rows[index] = {
      ...row,
      state: random() < 0.1 ? state() : row.state,
      queued,
      running: whole(4),
      turns: row.turns + whole(5),
      ...times(),
      recent: [...row.recent.slice(1), queued],
    }
    versions[index] = stepsDone
  }
  points.push(makePoint())
  if (points.length > 120) points.shift()
}

let points: Array<Point> = []
const makePoint = (): Point => {
  const wave = Math.sin(stepsDone / 9)
  const missing = stepsDone % 60 >= 50 && stepsDone % 60 < 54
  if (missing) return { at: now, running: null, queued: null, suspended: null, stallMs: null, latency: null }
  return {
    at: now,
    running: Math.round(120 + 60 * wave + whole(20)),
    queued: Math.round(60 + 50 * Math.cos(stepsDone / 13) + whole(10)),
    suspended: Math.round(30 + whole(12)),
    stallMs: 2 + whole(8) + (random() < 0.05 ? 120 : 0),
    latency: [...latencyBounds, Infinity].map((_, bucket) => {
      const fast = 60 * Math.exp(-((bucket - 4 - wave) ** 2) / 3)
      const slow = 12 * Math.exp(-((bucket - 10) ** 2) / 1.5)
      return Math.floor((fast + slow) * random())
    }),
  }
}

const sortKey = (row: SessionRow, column: ColumnId): number | string => {
  switch (column) {
    case "name":
      return row.name
    case "kind":
      return row.kind
    case "state":
      return row.state
    case "queued":
      return row.queued
    case "running":
      return row.running
    case "turns":
      return row.turns
    case "age":
      return -row.openedAt
    case "waited":
      return row.queuedMs
  }
}

interface Connection {
  question: Question
  seq: number
  told: number
  /** What the viewer has. */
  order: string
  fresh: boolean
  timer: ReturnType<typeof setInterval> | undefined
}
const connections = new Map<number, Connection>()

const matching = ({ state: wanted, text }: Question): Array<number> => {
  const found: Array<number> = []
  const lower = text.toLowerCase()
  for (const [index, row] of rows.entries()) {
    if (wanted.length > 0 && !wanted.includes(row.state)) continue
    if (lower !== "" && !row.name.toLowerCase().includes(lower)) continue
    found.push(index)
  }
  return found
}

const frame = (connection: Connection): Delta => {
  const { question } = connection
  const found = matching(question)
  const sign = question.descending ? -1 : 1
  const keys = new Map(found.map((index) => [index, sortKey(rows[index] as SessionRow, question.sort)]))
  found.sort((a, b) => {
    const [x, y] = [keys.get(a) ?? 0, keys.get(b) ?? 0]
    return (x < y ? -1 : x > y ? 1 : a - b) * (x === y ? 1 : sign)
  })
  const offset = Math.min(question.offset, Math.max(0, found.length - 1))
  const inside = found.slice(offset, offset + question.limit)
  const order = inside.map((index) => rows[index]?.id ?? "")
  const written = order.join()
  const changed = inside.filter(
    (index) =>
      connection.fresh ||
      (versions[index] ?? 0) > connection.told ||
      !connection.order.includes(rows[index]?.id ?? "-"),
  )
  const facets = Object.fromEntries(states.map((each) => [each, 0])) as Record<State, number>
  for (const index of question.state.length === 0 ? found : matching({ ...question, state: [] }))
    facets[rows[index]?.state ?? "Ready"] += 1
  const delta: Delta = {
    total: found.length,
    offset,
    facets,
    rows: changed.flatMap((index) => rows[index] ?? []),
    ...(written === connection.order ? {} : { order }),
    points: connection.fresh ? points : points.slice(-1),
  }
  connection.order = written
  connection.told = stepsDone
  return delta
}

const send = (id: number, connection: Connection) => {
  connection.seq += 1
  const full = connection.fresh
  const delta = frame(connection)
  connection.fresh = false
  post({ connection: id, frame: { seq: connection.seq, t: now, dropped, full, delta } })
}

globalThis.addEventListener("message", ({ data }: MessageEvent<ToServer>) => {
  switch (data.say) {
    case "size": {
      live = data.live
      if (live) now = Date.now()
      rows = Array.from({ length: data.rows }, (_, index) => makeRow(index, data.hostile))
      versions = new Uint32Array(data.rows)
      points = []
      for (let past = 119; past >= 0; past -= 1) {
        stepsDone += 1
        points.push({ ...makePoint(), at: now - past * 1000 })
      }
      return
    }
    case "open": {
      const connection: Connection = {
        question: data.question,
        seq: 0,
        told: stepsDone,
        order: "",
        fresh: true,
        timer: undefined,
      }
      connections.set(data.connection, connection)
      send(data.connection, connection)
      if (live)
        connection.timer = setInterval(() => {
          step()
          send(data.connection, connection)
        }, data.question.everyMs)
      return
    }
    case "close":
      clearInterval(connections.get(data.connection)?.timer)
      connections.delete(data.connection)
      return
    case "drop":
      dropped += data.events
      return
    case "tick":
      for (let count = 0; count < data.steps; count += 1) step()
      for (const [id, connection] of connections) {
        send(id, connection)
        post({ connection: id, ticked: true })
      }
      return
  }
})
