/**
 * Before and after, measured here and now: the same queries on the same data over HTTP, once with a database per request
 * and once with a session per visitor. Everything is asked one after the other, so both have the machine to themselves.
 */
import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { createApp } from "./app.ts"
import { createNotebooks } from "./notebook.ts"
import { createPerRequestApp } from "./perRequest.ts"
import { serve } from "./serve.ts"
import { Visitor, type Visit } from "./visitor.ts"

const sql = "select origin, count(*) from cars group by origin order by origin"
const expected = JSON.stringify([
  ["Europe", "73"],
  ["Japan", "79"],
  ["USA", "254"],
])
const coldQueries = 3
const warmQueries = 60
const atOnce = 3

interface Side {
  /** Milliseconds, median. */
  readonly time: number
  readonly queries: number
  readonly opened: number
  /** Bytes taken by `atOnce` queries of one visitor at the same time. */
  readonly memory: number
}
export interface Check {
  readonly what: string
  readonly holds: boolean
}
type Say = (line: string) => void

export const runDemo = async (say: Say): Promise<ReadonlyArray<Check>> => {
  const right = new Set<boolean>()
  const note = (visit: Visit): number => {
    // Only Ctrl-C does that here.
    if (visit.status === 503) throw new Error("The server is shutting down.")
    right.add(JSON.stringify(visit.body.rows) === expected)
    return visit.took
  }

  say(`Before: a Postgres per request, ${coldQueries} queries one after the other, then ${atOnce} at once.`)
  const before = await measureBefore(note, say)
  say(
    `After: a Postgres per visitor, ${atOnce} queries at once, then 2 visitors with ${warmQueries} queries each.`,
  )
  const { side: after, first, checks } = await measureAfter(note, say)

  const ratio = before.time / after.time
  say("")
  for (const line of table(before, after, first)) say(line)
  return [
    { what: "every answer is right, before and after", holds: right.size === 1 && right.has(true) },
    {
      what: `a warm query is at least 100 times faster than one that opens its own database: ${times(ratio)}`,
      holds: ratio >= 100,
    },
    ...checks,
  ]
}

const measureBefore = async (note: (visit: Visit) => number, say: Say): Promise<Side> => {
  let opened = 0
  const { server, url } = await serve(createPerRequestApp(() => opened++))
  try {
    const visitor = new Visitor(url)
    const took: Array<number> = []
    for (let n = 1; n <= coldQueries; n++) {
      took.push(note(await visitor.query(sql)))
      say(`  query ${n}: ${ms(took.at(-1) ?? 0)}`)
    }
    const memory = await memoryOf(() =>
      Promise.all(Array.from({ length: atOnce }, () => visitor.query(sql).then(note))),
    )
    return { time: median(took), queries: coldQueries + atOnce, opened, memory }
  } finally {
    server.close()
  }
}

const measureAfter = async (note: (visit: Visit) => number, say: Say) => {
  const notebooks = createNotebooks({ maxSessions: 2 })
  const count = { Opened: 0, Closed: 0 }
  notebooks.subscribe(({ _tag }) => {
    if (_tag === "Opened" || _tag === "Closed") count[_tag]++
  })
  const { server, url } = await serve(createApp({ notebooks, secret: randomBytes(32).toString("hex") }))
  try {
    const [alice, bob] = [new Visitor(url), new Visitor(url)]
    await alice.look()
    // The first opens her database; the others find it being opened and wait for it.
    let first = Infinity
    const memory = await memoryOf(() =>
      Promise.all(
        Array.from({ length: atOnce }, async () => (first = Math.min(first, note(await alice.query(sql))))),
      ),
    )
    say(`  first query of a visitor: ${ms(first)}`)
    note(await bob.query(sql))
    const took: Array<number> = []
    for (let n = 0; n < warmQueries; n++)
      for (const visitor of [alice, bob]) took.push(note(await visitor.query(sql)))
    say(`  ${took.length} more: ${ms(median(took))} each`)

    await alice.query("create table mine as select 7 as n")
    const others = await bob.query("select n from mine")
    const mistake = await alice.query("selec 1")
    const own = await alice.query("select n from mine")
    const report = await notebooks.drain()
    const side: Side = { time: median(took), queries: took.length + atOnce + 5, opened: count.Opened, memory }
    const checks: ReadonlyArray<Check> = [
      {
        what: "opened once per session, whatever it was asked",
        holds: count.Opened === 2 && own.body.generation === 1,
      },
      {
        what: "a visitor's tables are nobody else's",
        holds: others.status === 400 && own.body.rows?.[0]?.[0] === "7",
      },
      {
        what: "a bad query is told, and leaves the session as it was",
        holds: mistake.status === 400 && own.status === 200,
      },
      {
        what: "drained: every database closed, nothing cut, nothing leaked",
        holds:
          report.closed === 2 && count.Closed === 2 && report.cut.length === 0 && report.leaked.length === 0,
      },
    ]
    return { side, first, checks }
  } finally {
    await notebooks.drain({ finishWithin: 0 })
    server.close()
  }
}

const table = (before: Side, after: Side, first: number): ReadonlyArray<string> => {
  const rows: ReadonlyArray<readonly [string, string, string, string]> = [
    ["", "per request", "Sojourn", ""],
    ["time per query, median", ms(before.time), ms(after.time), `${times(before.time / after.time)} faster`],
    ["first query of a visitor", ms(before.time), ms(first), "the same work, once"],
    [
      "databases opened",
      `${before.opened} for ${before.queries}`,
      `${after.opened} for ${after.queries}`,
      "queries",
    ],
    [
      `memory for ${atOnce} queries at once`,
      mb(before.memory),
      mb(after.memory),
      `${times(before.memory / after.memory)} less`,
    ],
  ]
  const width = (at: 0 | 1 | 2): number => Math.max(...rows.map((row) => row[at].length))
  return rows.map(([what, was, is, so]) =>
    `  ${what.padEnd(width(0))}  ${was.padStart(width(1))}  ${is.padStart(width(2))}  ${so}`.trimEnd(),
  )
}

/** The most that WebAssembly and buffers took beyond what they took before, in bytes. */
const memoryOf = async (work: () => Promise<unknown>): Promise<number> => {
  await collectGarbage()
  const start = process.memoryUsage().external
  let peak = start
  const look = (): void => void (peak = Math.max(peak, process.memoryUsage().external))
  const looking = setInterval(look, 5)
  try {
    await work()
  } finally {
    clearInterval(looking)
    look()
  }
  return peak - start
}

/** What is closed but not collected yet would go away while the next one is measured; it takes a few rounds. */
const collectGarbage = async (): Promise<void> => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  for (let round = 0; round < 5; round++) {
    collect()
    await sleep(50)
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const ms = (value: number): string => (value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`)
const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
const times = (ratio: number): string => `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)}x`
