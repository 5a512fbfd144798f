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

/** The gaps of an event loop, in milliseconds, until `done`. */
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

const figures = async (
  label: string,
  number: number,
  idle: number,
  open: (keys: ReadonlyArray<string>) => Promise<Idle>,
  add: (name: string, value: number) => void,
): Promise<void> => {
  const keys = manyKeys(number)
  const { closed, end } = await open(keys)
  if (closed() > 0)
    throw new Error(`${label}: sessions expired while others were opened; the idle time is too short`)
  collectAll()
  const until = performance.now() + controlMs
  const control = await gaps(() => performance.now() >= until, 2 * controlMs)
  // Asleep until all have expired: otherwise they would expire one by one, in the order in which they were opened.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, idle)
  const start = performance.now()
  const slices = await gaps(() => closed() === number, 60_000)
  add(`${label}: all closed after`, performance.now() - start)
  add(`${label}: gap, median`, quantile(slices, 0.5))
  add(`${label}: gap, p99`, quantile(slices, 0.99))
  add(`${label}: longest gap`, quantile(slices, 1))
  add(`${label}: control loop, p99`, quantile(control, 0.99))
  add(`${label}: control loop, longest gap`, quantile(control, 1))
  await end()
}

export const suite: Suite = {
  title: "Sweep of idle sessions",
  run: async (config: Config) => {
    const number = config.quick ? 10_000 : 100_000
    const idle = config.quick ? 500 : 4000
    const values = new Map<string, Array<number>>()
    const add = (name: string, value: number) => {
      const list = values.get(name)
      if (list === undefined) values.set(name, [value])
      else list.push(value)
    }
    for (let round = 1; round <= (config.quick ? 1 : 3); round++) {
      config.progress(`sweep: round ${round}`)
      await figures(
        "sojourn",
        number,
        idle,
        async (keys) => {
          const ledger = new Ledger()
          const sessions = makeSessions(ledger, { idleTimeout: idle })
          for (const key of keys) await sessions.run(key, asyncTask)
          return { closed: () => ledger.closed, end: () => sessions.drain() }
        },
        add,
      )
      await figures(
        "RcMap",
        number,
        idle,
        async (keys) => {
          const ledger = new Ledger()
          const { value: map, close } = await makeRcMap(ledger, idle)
          for (const key of keys) await Effect.runPromise(Effect.scoped(RcMap.get(map, key)))
          return { closed: () => ledger.closed, end: close }
        },
        add,
      )
    }
    return [
      groupOf({ id: "sweep", title: `close ${number} expired sessions`, unit: "ms", against: [] }, values),
    ]
  },
}
