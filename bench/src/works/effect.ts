/** A turn on a warm session whose task is an Effect: inside one fiber, and each from promise code. */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as RcMap from "effect/RcMap"
import { asyncTask, Ledger, syncTask, type Traffic } from "../fixture.ts"
import { Held, makeLayerMap, makeRcMap, makeRuntime } from "../peers/effects.ts"
import { makeService } from "../peers/sojournEffect.ts"
import type { WarmWork } from "./promise.ts"

/** The same two tasks for all; they take their resource from the context. */
const asyncTurn = Effect.flatMap(Held, (resource) => Effect.promise(() => asyncTask(resource)))
const syncTurn = Effect.map(Held, syncTask)
type Turn = Effect.Effect<number, never, Held>

export interface Tasks {
  readonly kind: string
  readonly title: string
  readonly turn: Turn
}
export const asyncTasks: Tasks = { kind: "async", title: "a promise", turn: asyncTurn }
export const syncTasks: Tasks = { kind: "sync", title: "a sync effect", turn: syncTurn }

type Make = (traffic: Traffic, tasks: Tasks) => Promise<WarmWork>

const warm = (
  name: string,
  ledger: Ledger,
  { prepare, expected }: Traffic,
  batch: () => Promise<number>,
  close: () => unknown,
): WarmWork => ({ name, prepare, batch, expected, turns: () => ledger.turns, close })

/** Only the service is put in the context, and nothing is kept per key. */
export const managedRuntime: Make = async (traffic, { turn }) => {
  const ledger = new Ledger()
  const runtime = makeRuntime(ledger, traffic.live.at(-1) ?? "")
  const { index } = await runtime.runPromise(Held)
  const loop = async () => {
    let sum = 0
    for (const _ of traffic.keys) sum += await runtime.runPromise(turn)
    return sum
  }
  return {
    ...warm("ManagedRuntime.runPromise", ledger, traffic, loop, () => runtime.dispose()),
    expected: (count) => count * index,
  }
}

const useOf = (map: RcMap.RcMap<string, Held["Service"]>, key: string, turn: Turn): Effect.Effect<number> =>
  Effect.scoped(
    Effect.flatMap(RcMap.get(map, key), (resource) => Effect.provideService(turn, Held, resource)),
  )

export const rcMapInFiber: Make = async (traffic, { turn }) => {
  const ledger = new Ledger()
  const { value: map, close } = await makeRcMap(ledger)
  const loop = Effect.gen(function* () {
    let sum = 0
    for (const key of traffic.keys) sum += yield* useOf(map, key, turn)
    return sum
  })
  for (const key of traffic.live) await Effect.runPromise(useOf(map, key, turn))
  return warm("RcMap.get + provide", ledger, traffic, () => Effect.runPromise(loop), close)
}

export const rcMapFromPromises: Make = async (traffic, { turn }) => {
  const ledger = new Ledger()
  const { value: map, close } = await makeRcMap(ledger)
  for (const key of traffic.live) await Effect.runPromise(useOf(map, key, turn))
  const loop = async () => {
    let sum = 0
    for (const key of traffic.keys) sum += await Effect.runPromise(useOf(map, key, turn))
    return sum
  }
  return warm("RcMap.get + provide", ledger, traffic, loop, close)
}

export const layerMapInFiber: Make = async (traffic, { turn }) => {
  const ledger = new Ledger()
  const { value: map, close } = await makeLayerMap(ledger)
  const loop = Effect.gen(function* () {
    let sum = 0
    for (const key of traffic.keys) sum += yield* Effect.provide(turn, map.get(key))
    return sum
  })
  for (const key of traffic.live) await Effect.runPromise(Effect.provide(turn, map.get(key)))
  return warm("LayerMap", ledger, traffic, () => Effect.runPromise(loop), close)
}

export const sojournInFiber: Make = async (traffic, { turn }) => {
  const ledger = new Ledger()
  const Service = makeService(ledger)
  const runtime = ManagedRuntime.make(Service.layer)
  const loop = Effect.gen(function* () {
    let sum = 0
    for (const key of traffic.keys) sum += yield* Service.run(key, turn)
    return sum
  })
  for (const key of traffic.live) await runtime.runPromise(Service.run(key, turn))
  return warm(
    "sojourn",
    ledger,
    traffic,
    () => runtime.runPromise(loop),
    () => runtime.dispose(),
  )
}

export const sojournFromPromises: Make = async (traffic, { turn }) => {
  const ledger = new Ledger()
  const Service = makeService(ledger)
  const runtime = ManagedRuntime.make(Service.layer)
  for (const key of traffic.live) await runtime.runPromise(Service.run(key, turn))
  const loop = async () => {
    let sum = 0
    for (const key of traffic.keys) sum += await runtime.runPromise(Service.run(key, turn))
    return sum
  }
  return warm("sojourn", ledger, traffic, loop, () => runtime.dispose())
}
