/** What the heap suite fills a process with. All sessions of a case share one resource, so that only the holder counts. */
import { createSessions, Sessions } from "@sojourn/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import { Ledger, manyKeys, type Resource, syncTask } from "./fixture.ts"
import { collectAll, expectSame } from "./harness.ts"
import { Held, makeRcMap } from "./peers/effects.ts"
import { HandChain } from "./peers/handChain.ts"
import { manySessions } from "./peers/sojourn.ts"

interface Filled {
  readonly fill: () => Promise<unknown>
  /** How many are held now; reading it also keeps them from being collected. */
  readonly live: () => number
}

export type HeapCase = (keys: ReadonlyArray<string>, ledger: Ledger) => Filled | Promise<Filled>

const one = (ledger: Ledger): Resource => ({ index: 1, ledger })
const nothing = (): void => {}

/** A constant layer, as the guide advises: a layer value made per key would be kept per key. */
const constantLayer = (ledger: Ledger): Layer.Layer<Held> => {
  const shared = one(ledger)
  return Layer.effect(
    Held,
    Effect.acquireRelease(
      Effect.sync(() => shared),
      () => Effect.void,
    ),
  )
}
const turn = Effect.map(Held, syncTask)

const promiseFace =
  (finalizers: 0 | 1): HeapCase =>
  (keys, ledger) => {
    const shared = one(ledger)
    const sessions = createSessions({
      name: "bench",
      open: ({ onClose }) => {
        if (finalizers === 1) onClose(nothing)
        return shared
      },
      ...manySessions,
    })
    return {
      fill: async () => {
        for (const key of keys) await sessions.run(key, syncTask)
      },
      live: () => sessions.snapshot({ limit: 1 }).counts.Ready,
    }
  }

const effectFace: HeapCase = (keys, ledger) => {
  const layer = constantLayer(ledger)
  class Service extends Sessions.Service<Service>()("@sojourn/bench/Heap", {
    layer: () => layer,
    ...manySessions,
  }) {}
  const runtime = ManagedRuntime.make(Service.layer)
  return {
    fill: async () => {
      for (const key of keys) await runtime.runPromise(Service.run(key, turn))
    },
    live: () =>
      runtime.runSync(Effect.map(Service, (sessions) => sessions.snapshot({ limit: 1 }).counts.Ready)),
  }
}

const layerBuild: HeapCase = (keys, ledger) => {
  const layer = constantLayer(ledger)
  // There before the first reading: this case stands for what Effect itself keeps, not for a registry.
  const kept = Array.from({ length: keys.length * 2 }, (): unknown => undefined)
  return {
    fill: async () => {
      for (let i = 0; i < keys.length; i++) {
        const scope = Scope.makeUnsafe()
        const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
        await Effect.runPromise(Effect.provideContext(turn, context))
        kept[2 * i] = scope
        kept[2 * i + 1] = context
      }
    },
    live: () => kept.filter((item) => item !== undefined).length / 2,
  }
}

const rcMap =
  (idleTimeToLive: "5 minutes" | "Infinity"): HeapCase =>
  async (keys, ledger) => {
    const { value: map } = await makeRcMap(ledger, idleTimeToLive)
    return {
      fill: async () => {
        for (const key of keys)
          await Effect.runPromise(Effect.scoped(Effect.map(RcMap.get(map, key), syncTask)))
      },
      live: () => Array.from(Effect.runSync(RcMap.keys(map))).length,
    }
  }

const managedRuntime: HeapCase = (keys, ledger) => {
  const layer = constantLayer(ledger)
  const live = new Map<string, ManagedRuntime.ManagedRuntime<Held, never>>()
  return {
    fill: async () => {
      for (const key of keys) {
        const runtime = ManagedRuntime.make(layer)
        live.set(key, runtime)
        await runtime.runPromise(turn)
      }
    },
    live: () => live.size,
  }
}

const byHand: HeapCase = (keys, ledger) => {
  const shared = one(ledger)
  const chain = new HandChain(() => shared)
  return {
    fill: async () => {
      for (const key of keys) await chain.run(key, syncTask)
    },
    live: () => chain.sessions.size,
  }
}

const lruCache: HeapCase = (keys, ledger) => {
  const shared = one(ledger)
  const fetchMethod = async () => shared
  // Made inside, since it allocates for all its entries at once: its arrays belong to the figure.
  let cache: LRUCache<string, Resource> | undefined
  return {
    fill: async () => {
      cache = new LRUCache<string, Resource>({ max: keys.length, ttl: 15 * 60_000, fetchMethod })
      for (const key of keys) {
        const resource = await cache.fetch(key)
        if (resource !== undefined) syncTask(resource)
      }
    },
    live: () => cache?.size ?? 0,
  }
}

export const heapCases: { readonly [name: string]: HeapCase } = {
  "by hand: Map + chain": byHand,
  "lru-cache with a TTL": lruCache,
  "sojourn, Promise face": promiseFace(0),
  "sojourn, Promise face, one onClose": promiseFace(1),
  "Layer.build alone": layerBuild,
  "sojourn, Effect face, one service": effectFace,
  "RcMap, infinite TTL": rcMap("Infinity"),
  "RcMap, TTL of 5 minutes": rcMap("5 minutes"),
  "ManagedRuntime per key": managedRuntime,
}

const heapUsed = (): number => {
  collectAll()
  return process.memoryUsage().heapUsed
}

export const bytesPerSession = async (name: string, number: number): Promise<number> => {
  const make = heapCases[name] ?? (await import("./taskHeapCases.ts")).taskHeapCases[name]
  if (make === undefined) throw new Error(`no heap case is called ${name}`)
  const keys = manyKeys(number)
  // Another of the same, filled and kept: compiled code and tables of fixed size are no session's.
  const first = await make(keys.slice(0, 1000), new Ledger())
  await first.fill()
  const ledger = new Ledger()
  const { fill, live } = await make(keys, ledger)
  const before = heapUsed()
  await fill()
  // What was put off to a later round of the event loop has its say, so that only what stays is counted.
  await new Promise((resolve) => setTimeout(resolve, 50))
  const grown = heapUsed() - before
  expectSame(`${name}: sessions live`, live(), number)
  expectSame(`${name}: tasks run`, ledger.turns, number)
  expectSame(`${name}: sessions live in the first one`, first.live(), 1000)
  return grown / number
}
