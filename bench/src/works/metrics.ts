/** A warm turn with and without what is counted of it, and with what shows the counts. */
import type { AnySessions, Sessions } from "@sojourn/core"
import { inspectionOf } from "@sojourn/core/inspect"
import { collectSessionMetrics, type MetricsOptions } from "@sojourn/prometheus"
import { Registry } from "prom-client"
import { asyncTask, Ledger, type Resource, type Traffic } from "../fixture.ts"
import { makeSessions } from "../peers/sojourn.ts"
import type { WarmWork } from "./promise.ts"

/** What a registry counts in the course of a turn. */
const counting = ["taskStarted", "taskPutBack", "taskEnded", "taskEndedLate"] as const

/**
 * Counts nothing of its tasks any more. There is no option for that: a registry's durations are read from its own books, and
 * the methods of these are covered with empty ones.
 */
export const countNothing = (sessions: AnySessions): void => {
  const books: object | undefined = inspectionOf(sessions)?.durations
  if (books === undefined || counting.some((name) => typeof Reflect.get(books, name) !== "function"))
    throw new Error("what a registry counts with is elsewhere, or called otherwise, by now")
  for (const name of counting) Object.defineProperty(books, name, { value: () => {} })
}

const warm =
  (name: string, prepare: (sessions: Sessions<Resource>) => Disposable | undefined) =>
  async (traffic: Traffic): Promise<WarmWork> => {
    const ledger = new Ledger()
    const sessions = makeSessions(ledger)
    const shown = prepare(sessions)
    for (const key of traffic.live) await sessions.run(key, asyncTask)
    return {
      name,
      prepare: traffic.prepare,
      expected: traffic.expected,
      turns: () => ledger.turns,
      batch: async () => {
        let sum = 0
        for (const key of traffic.keys) sum += await sessions.run(key, asyncTask)
        return sum
      },
      close: () => {
        shown?.[Symbol.dispose]()
        return sessions.drain()
      },
    }
  }
const collected = (options: MetricsOptions) => (sessions: AnySessions) =>
  collectSessionMetrics(new Registry(), { sessions: [sessions], ...options })

export type MetricsWork = WarmWork
export const counted = warm("sojourn", () => undefined)
export const uncounted = warm("sojourn, nothing counted", (sessions) => {
  countNothing(sessions)
  return undefined
})
export const shown = warm("sojourn, in a register", collected({}))
export const shownWithExemplars = warm("sojourn, in a register, exemplars", collected({ exemplars: true }))
