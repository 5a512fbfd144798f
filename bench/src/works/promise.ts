/**
 * A turn on a warm session, from promise code. Each case has a loop of its own: one shared loop would call every library
 * through the same call site, which the compiler then treats as unknown for all of them.
 */
import { AsyncLocalStorage } from "node:async_hooks"
import type { Sessions } from "@sojourn/core"
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import { asyncTask, Ledger, oneHopTask, type Resource, syncTask, type Traffic } from "../fixture.ts"
import type { Work } from "../harness.ts"
import { Held, makeRcMap, makeRuntime } from "../peers/effects.ts"
import { HandChain } from "../peers/handChain.ts"
import { KeyedPools, KeyedQueues, makeLruCache } from "../peers/promises.ts"
import { makeSessions } from "../peers/sojourn.ts"

export interface WarmWork extends Work {
  /** Lets go of everything, after the last round. */
  readonly close: () => unknown
}

type Loop = () => Promise<number>
type Make = (traffic: Traffic) => Promise<WarmWork>

const warm = (
  name: string,
  ledger: Ledger,
  { prepare, expected }: Traffic,
  batch: Loop,
  close: () => unknown = () => {},
): WarmWork => ({ name, prepare, batch, expected, turns: () => ledger.turns, close })

const byHand =
  (name: string, loop: (chain: HandChain, traffic: Traffic) => Loop): Make =>
  async (traffic) => {
    const ledger = new Ledger()
    const chain = new HandChain(ledger.open)
    for (const key of traffic.live) await chain.run(key, asyncTask)
    return warm(name, ledger, traffic, loop(chain, traffic))
  }

export const handChain = byHand("by hand: Map + chain", (chain, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) sum += await chain.run(key, asyncTask)
  return sum
})

export const handChainSync = byHand("by hand, sync task", (chain, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) sum += await chain.run(key, syncTask)
  return sum
})

export const handChainHop = byHand("by hand, task with one hop", (chain, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) sum += await chain.run(key, oneHopTask)
  return sum
})

export const lruCache: Make = async (traffic) => {
  const ledger = new Ledger()
  const cache = makeLruCache(ledger, traffic.live.length)
  for (const key of traffic.live) await cache.fetch(key)
  return warm("lru-cache fetch", ledger, traffic, async () => {
    let sum = 0
    for (const key of traffic.keys) {
      const resource = await cache.fetch(key)
      if (resource !== undefined) sum += await asyncTask(resource)
    }
    return sum
  })
}

export const genericPool: Make = async (traffic) => {
  const ledger = new Ledger()
  const pools = new KeyedPools(ledger)
  for (const key of traffic.live) await pools.of(key).use(asyncTask)
  return warm("generic-pool per key", ledger, traffic, async () => {
    let sum = 0
    for (const key of traffic.keys) sum += await pools.of(key).use(asyncTask)
    return sum
  })
}

export const pQueue: Make = async (traffic) => {
  const ledger = new Ledger()
  const queues = new KeyedQueues(ledger)
  for (const key of traffic.live) queues.of(key)
  return warm("p-queue per key", ledger, traffic, async () => {
    let sum = 0
    for (const key of traffic.keys) {
      const { queue, resource } = queues.of(key)
      sum += await queue.add(() => asyncTask(resource))
    }
    return sum
  })
}

/** Without keys: the least that a program with a runtime does, so nothing is looked up and every turn gives the same. */
const withRuntime =
  (name: string, wrap: (turn: Effect.Effect<number>) => Effect.Effect<number>): Make =>
  async (traffic) => {
    const ledger = new Ledger()
    const runtime = makeRuntime(ledger, traffic.live.at(-1) ?? "")
    const resource: Resource = await runtime.runPromise(Held)
    const loop = async () => {
      let sum = 0
      for (const _ of traffic.keys)
        sum += await runtime.runPromise(wrap(Effect.promise(() => asyncTask(resource))))
      return sum
    }
    return {
      ...warm(name, ledger, traffic, loop, () => runtime.dispose()),
      expected: (count) => count * resource.index,
    }
  }

export const managedRuntime = withRuntime("ManagedRuntime.runPromise", (turn) => turn)
export const managedRuntimeTimeout = withRuntime("ManagedRuntime + Effect.timeout", (turn) =>
  Effect.orDie(Effect.timeout(turn, 5000)),
)

export const rcMap: Make = async (traffic) => {
  const ledger = new Ledger()
  const { value: map, close } = await makeRcMap(ledger)
  for (const key of traffic.live) await Effect.runPromise(Effect.scoped(RcMap.get(map, key)))
  const loop = async () => {
    let sum = 0
    for (const key of traffic.keys) {
      sum += await Effect.runPromise(
        Effect.scoped(
          Effect.flatMap(RcMap.get(map, key), (resource) => Effect.promise(() => asyncTask(resource))),
        ),
      )
    }
    return sum
  }
  return warm("RcMap.get + run", ledger, traffic, loop, close)
}

const ours =
  (name: string, loop: (sessions: Sessions<Resource>, traffic: Traffic) => Loop): Make =>
  async (traffic) => {
    const ledger = new Ledger()
    const sessions = makeSessions(ledger)
    for (const key of traffic.live) await sessions.run(key, asyncTask)
    return warm(name, ledger, traffic, loop(sessions, traffic), () => sessions.drain())
  }

export const sojourn = ours("sojourn", (sessions, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) sum += await sessions.run(key, asyncTask)
  return sum
})

export const sojournSync = ours("sojourn, sync task", (sessions, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) sum += await sessions.run(key, syncTask)
  return sum
})

export const sojournHop = ours("sojourn, task with one hop", (sessions, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) sum += await sessions.run(key, oneHopTask)
  return sum
})

export const sojournTimeout = ours("sojourn, { timeout }", (sessions, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) sum += await sessions.run(key, asyncTask, { timeout: 5000 })
  return sum
})

export const sojournSignal = ours("sojourn, { signal }", (sessions, traffic) => async () => {
  const { signal } = new AbortController()
  let sum = 0
  for (const key of traffic.keys) sum += await sessions.run(key, asyncTask, { signal })
  return sum
})

export const sojournTaskSignal = ours("sojourn, task reads signal", (sessions, traffic) => async () => {
  let sum = 0
  for (const key of traffic.keys) {
    sum += await sessions.run(key, (resource, { signal }) => (signal.aborted ? -1 : asyncTask(resource)))
  }
  return sum
})

/** As behind an adapter: a handle per request, and a key that says whose it is. */
export const sojournOwner: Make = async (traffic) => {
  const ledger = new Ledger()
  const sessions = makeSessions(ledger)
  for (const id of traffic.live) await sessions.run({ owner: "Alice", id }, asyncTask)
  const loop = async () => {
    let sum = 0
    for (const id of traffic.keys) sum += await sessions.at({ owner: "Alice", id }).run(asyncTask)
    return sum
  }
  return warm("sojourn, at({ owner, id })", ledger, traffic, loop, () => sessions.drain())
}

/** In a program that has stores of its own, as one with tracing and a logger has. */
export const sojournInStores = ours("sojourn, in 3 other stores", (sessions, traffic) => {
  const stores = [
    new AsyncLocalStorage<string>(),
    new AsyncLocalStorage<string>(),
    new AsyncLocalStorage<string>(),
  ]
  const loop: Loop = async () => {
    let sum = 0
    for (const key of traffic.keys) sum += await sessions.run(key, asyncTask)
    return sum
  }
  return stores.reduce<Loop>((inner, store) => () => store.run("request", inner), loop)
})

export const sojournWatched = ours("sojourn, one subscriber", (sessions, traffic) => {
  sessions.subscribe(() => {})
  return async () => {
    let sum = 0
    for (const key of traffic.keys) sum += await sessions.run(key, asyncTask)
    return sum
  }
})
