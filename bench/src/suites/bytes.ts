/**
 * Bytes allocated per warm run: how much the heap grows over a batch in which nothing is collected. The process has a
 * young generation larger than any batch, and a batch that met a collection all the same is thrown away.
 */
import { PerformanceObserver } from "node:perf_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { manyKeys, Traffic } from "../fixture.ts"
import { collectAll, type Config, measure, type Sampler, type Suite, timed, type Work } from "../harness.ts"
import * as effects from "../works/effect.ts"
import * as promises from "../works/promise.ts"

const count = 10_000

const allocation = (config: Config, work: Work): Sampler => {
  let grown = 0
  const watched: Work = {
    ...work,
    batch: async (size) => {
      const before = process.memoryUsage().heapUsed
      const sum = await work.batch(size)
      grown = process.memoryUsage().heapUsed - before
      return sum
    },
  }
  return {
    name: work.name,
    warmUp: async () => {
      for (let i = 0; i < (config.quick ? 2 : 6); i++) await timed(watched, count)
    },
    sample: async () => {
      for (let attempt = 0; attempt < 10; attempt++) {
        const collections: Array<number> = []
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) collections.push(entry.startTime)
        })
        observer.observe({ entryTypes: ["gc"] })
        let started = 0
        let ended = 0
        await timed(
          {
            ...watched,
            batch: async (size) => {
              started = performance.now()
              const sum = await watched.batch(size)
              ended = performance.now()
              return sum
            },
          },
          count,
        )
        // Entries arrive a little after what they tell of.
        await sleep(5)
        observer.disconnect()
        if (!collections.some((at) => at >= started && at <= ended)) return grown / count
      }
      throw new Error(`${work.name}: every batch of ${count} met a collection`)
    },
  }
}

export const suite: Suite = {
  title: "Bytes allocated per warm run",
  nodeOptions: ["--min-semi-space-size=128", "--max-semi-space-size=128"],
  run: async (config) => {
    const live = manyKeys(100)
    const traffic = () => Traffic.roundRobin(live)
    const works = await Promise.all([
      promises.handChain(traffic()),
      promises.sojourn(traffic()),
      promises.sojournTimeout(traffic()),
      promises.sojournSignal(traffic()),
      promises.sojournWatched(traffic()),
      promises.lruCache(traffic()),
      promises.genericPool(traffic()),
      promises.pQueue(traffic()),
      promises.managedRuntime(traffic()),
      promises.rcMap(traffic()),
    ])
    const inFiber = await Promise.all([
      effects.sojournInFiber(traffic(), effects.asyncTasks),
      effects.rcMapInFiber(traffic(), effects.asyncTasks),
      effects.layerMapInFiber(traffic(), effects.asyncTasks),
    ])
    collectAll()
    const rounds = config.quick ? 3 : 9
    const groups = [
      await measure(config, {
        id: "bytes/promise",
        title: "bytes per warm run, Promise face",
        unit: "B",
        against: ["by hand: Map + chain", "RcMap.get + run", "ManagedRuntime.runPromise"],
        samplers: works.map((work) => allocation(config, work)),
        rounds,
      }),
      await measure(config, {
        id: "bytes/effect",
        title: "bytes per warm run, Effect face, inside a fiber",
        unit: "B",
        against: ["RcMap.get + provide"],
        samplers: inFiber.map((work) => allocation(config, work)),
        rounds,
      }),
    ]
    for (const one of [...works, ...inFiber]) await one.close()
    return groups
  },
}
