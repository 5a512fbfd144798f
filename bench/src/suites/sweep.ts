/**
 * Closes very many sessions that have all been idle for too long, and asks what else in the process feels of it. A chain
 * of `setImmediate` stands for everything else: its gaps are the slices of the sweep. The same chain with nothing to do
 * is the control, since on a busy machine an empty loop has gaps, too.
 */
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import { asyncTask, Ledger, manyKeys } from "../fixture.ts"
import { collectAll, type Config, groupOf, type Suite, WrongResult } from "../harness.ts"
import { makeRcMap } from "../peers/effects.ts"
import { makeSessions } from "../peers/sojourn.ts"
import { quantile } from "../statistics.ts"

/** How long each round of an event loop took, in milliseconds, until `done`. */
const gaps = (done: () => boolean, mostMs: number): Promise<ReadonlyArray<number>> =>
  new Promise((resolve, reject) => {
    const found: Array<number> = []
    const start = performance.now()
    let last = start
    const step = () => {
      const now = performance.now()
      found.push(now - last)
      last = now
      if (done()) resolve(found)
      else if (now - start > mostMs)
        reject(new WrongResult(`not all sessions were closed within ${mostMs} ms`))
      else setImmediate(step)
    }
    setImmediate(step)
  })

const controlMs = 300

interface Idle {
  readonly closed: () => number
  readonly end: () => unknown
}

type Open = (keys: ReadonlyArray<string>, idleMs: number) => Promise<Idle>

const figures = async (
  label: string,
  number: number,
  open: Open,
  add: (name: string, value: number) => void,
) => {
  const keys = manyKeys(number)
  // Nothing may expire before all is ready; a slow machine needs a longer idle time for that.
  for (let idleMs = 1000; idleMs < 120_000; idleMs *= 2) {
    const { closed, end } = await open(keys, idleMs)
    collectAll()
    const until = performance.now() + controlMs
    const control = await gaps(() => performance.now() >= until, 60_000)
    const ready = closed() === 0
    if (ready) {
      // Asleep until all have expired: otherwise they would expire one by one, in the order in which they were opened.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, idleMs)
      const start = performance.now()
      const slices = await gaps(() => closed() === number, 60_000)
      add(`${label}: all closed after`, performance.now() - start)
      add(`${label}: slice, median`, quantile(slices, 0.5))
      add(`${label}: slice, p99`, quantile(slices, 0.99))
      add(`${label}: longest gap`, quantile(slices, 1))
      add(`${label}: longest gap of an empty loop`, quantile(control, 1))
    }
    await end()
    if (ready) return
  }
  throw new Error(`${label}: sessions expired faster than they could be opened`)
}

const sojourn: Open = async (keys, idleTimeout) => {
  const ledger = new Ledger()
  const sessions = makeSessions(ledger, { idleTimeout })
  for (const key of keys) await sessions.run(key, asyncTask)
  return { closed: () => ledger.closed, end: () => sessions.drain() }
}

const rcMap: Open = async (keys, idleMs) => {
  const ledger = new Ledger()
  const { value: map, close } = await makeRcMap(ledger, idleMs)
  for (const key of keys) await Effect.runPromise(Effect.scoped(RcMap.get(map, key)))
  return { closed: () => ledger.closed, end: close }
}

export const suite: Suite = {
  title: "Sweep of idle sessions",
  run: async (config: Config) => {
    const number = config.quick ? 10_000 : 100_000
    const values = new Map<string, Array<number>>()
    const add = (name: string, value: number) => {
      const list = values.get(name)
      if (list === undefined) values.set(name, [value])
      else list.push(value)
    }
    // Not counted: code that runs for the first time is slow, and what a server sweeps it has swept before.
    for (const open of [sojourn, rcMap]) await figures("", 2000, open, () => {})
    for (let round = 1; round <= (config.quick ? 1 : 3); round++) {
      config.progress(`sweep: round ${round}`)
      await figures("sojourn", number, sojourn, add)
      await figures("RcMap", number, rcMap, add)
    }
    return [
      groupOf({ id: "sweep", title: `close ${number} expired sessions`, unit: "ms", against: [] }, values),
    ]
  },
}
