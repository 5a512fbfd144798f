/** What it costs to be measured: a turn that is counted against one that is not, a live task, and a scrape. */
import { createSessions, type Sessions } from "@sojourn/core"
import { collectSessionMetrics } from "@sojourn/prometheus"
import { Registry } from "prom-client"
import { manyKeys, Traffic } from "../fixture.ts"
import { inFreshProcess } from "../freshProcess.ts"
import {
  bothRegimes,
  collectAll,
  type Config,
  type Group,
  measure,
  type Sampler,
  type Suite,
  WrongResult,
} from "../harness.ts"
import { manySessions } from "../peers/sojourn.ts"
import { taskHeapCases } from "../taskHeapCases.ts"
import * as works from "../works/metrics.ts"

const kinds = 10
const taskNames = 10

/** Ten kinds with sessions and ten tasks each, in one register. */
class Scraped {
  readonly #sessions: ReadonlyArray<Sessions<object>>
  readonly #register = new Registry()
  readonly #collection: Disposable
  readonly #number: number
  constructor(number: number) {
    this.#number = number
    this.#sessions = Array.from({ length: kinds }, (_, kind) =>
      createSessions({ name: `kind ${number} ${kind}`, open: () => ({}), ...manySessions }),
    )
    this.#collection = collectSessionMetrics(this.#register, { sessions: this.#sessions })
  }
  async fill(): Promise<void> {
    const keys = manyKeys(this.#number / kinds)
    for (const sessions of this.#sessions)
      for (const [index, key] of keys.entries())
        await sessions.run(key, () => 1, { name: `task ${index % taskNames}` })
  }
  /** One checked scrape, during which a task runs in the last session of each kind. */
  async scrape(watch: () => () => number): Promise<number> {
    const held = Promise.withResolvers<void>()
    const last = manyKeys(this.#number / kinds).at(-1) ?? ""
    const running = this.#sessions.map((sessions) =>
      sessions.run(last, () => held.promise, { name: "task 0" }),
    )
    await new Promise((resolve) => setImmediate(resolve))
    const measured = watch()
    const text = await this.#register.metrics()
    const figure = measured()
    held.resolve()
    await Promise.all(running)
    const ready = [...text.matchAll(/^sojourn_sessions\{.*state="Ready"\} (\d+)$/gm)]
    const sum = ready.reduce((total, [, count]) => total + Number(count), 0)
    const oldest = [...text.matchAll(/^sojourn_task_oldest_start_timestamp_seconds\{/gm)].length
    if (sum !== this.#number || oldest !== kinds)
      throw new WrongResult(`a scrape tells of ${sum} sessions and ${oldest} oldest tasks`)
    return figure
  }
  async end(): Promise<void> {
    this.#collection[Symbol.dispose]()
    await Promise.all(this.#sessions.map((sessions) => sessions.drain()))
  }
}

/** Milliseconds until it is called again. */
const time = (): (() => number) => {
  const begun = performance.now()
  return () => performance.now() - begun
}
/** The longest time, in milliseconds, for which nothing else had its turn. */
const longestHold = (): (() => number) => {
  let last = performance.now()
  let longest = 0
  let over = false
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const turn = () => {
    look()
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  return () => {
    look()
    over = true
    return longest
  }
}

const scrapes = async (config: Config): Promise<Group> => {
  const many = config.quick ? 10_000 : 100_000
  const all = [
    { name: "100 sessions", scraped: new Scraped(100) },
    { name: "very many sessions", scraped: new Scraped(many) },
  ]
  for (const { scraped } of all) await scraped.fill()
  collectAll()
  const group = await measure(config, {
    id: "metrics/scrape",
    title: `one scrape of ${kinds} kinds with ${taskNames} tasks each; very many sessions are ${many}`,
    unit: "ms",
    against: [],
    samplers: all.flatMap(({ name, scraped }): ReadonlyArray<Sampler> => {
      const warmUp = async () => {
        for (let i = 0; i < (config.quick ? 5 : 40); i++) await scraped.scrape(time)
      }
      return [
        { name, warmUp, sample: () => scraped.scrape(time) },
        { name: `${name}: longest hold`, sample: () => scraped.scrape(longestHold) },
      ]
    }),
  })
  for (const { scraped } of all) await scraped.end()
  return group
}

export const suite: Suite = {
  title: "What it costs to be measured",
  run: async (config) => {
    const live = manyKeys(100)
    const turns: Array<works.MetricsWork> = []
    for (const make of [works.counted, works.uncounted, works.shown, works.shownWithExemplars])
      turns.push(await make(Traffic.roundRobin(live)))
    const groups = [
      ...(await bothRegimes(
        config,
        {
          id: "metrics/turn",
          title: "a warm run, counted or not",
          against: ["sojourn, nothing counted"],
          notes: [
            "nothing counted: the methods that count tasks are covered with empty ones; there is no such option",
          ],
        },
        turns,
      )),
    ]
    for (const one of turns) await one.close()
    const number = config.quick ? 5000 : 30_000
    groups.push(
      await measure(config, {
        id: "metrics/heap",
        title: `heap per live task, ${number} of them in one session`,
        unit: "B",
        against: ["a live task, nothing counted"],
        samplers: Object.keys(taskHeapCases).map((name) => ({
          name,
          sample: async () => Number(await inFreshProcess({ kind: "heap", name, number })),
        })),
        rounds: config.quick ? 1 : 5,
      }),
      await scrapes(config),
    )
    return groups
  },
}
