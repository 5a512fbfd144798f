/** Ends a thousand sessions whose finalizers each wait 100 ms. At best that takes what one of them takes. */
import { setTimeout as sleep } from "node:timers/promises"
import { createSessions, Sessions } from "@sojourn/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as RcMap from "effect/RcMap"
import { manyKeys } from "../fixture.ts"
import { expectSame, measure, type Sampler, type Suite } from "../harness.ts"
import { keep } from "../peers/effects.ts"
import { manySessions } from "../peers/sojourn.ts"

const number = 1000
const few = 10
const wait = 100
const keys = manyKeys(number)

class Slow extends Context.Service<Slow, { readonly one: 1 }>()("@sojourn/bench/Slow") {}

const sampler = (
  name: string,
  open: (released: () => void) => Promise<() => Promise<unknown>>,
  closes: number = number,
): Sampler => ({
  name,
  sample: async () => {
    let released = 0
    const end = await open(() => {
      released += 1
    })
    const start = performance.now()
    await end()
    const took = performance.now() - start
    expectSame(`${name}: finalizers that ran to their end`, released, closes)
    return (took * number) / closes
  },
})

const floor = sampler(
  "1000 timers of 100 ms",
  async (released) => () => Promise.all(keys.map(() => sleep(wait).then(released))),
)

const promiseFace = sampler("sojourn, Promise face", async (released) => {
  const sessions = createSessions({
    name: "bench",
    open: ({ onClose }) => {
      onClose(async () => {
        await sleep(wait)
        released()
      })
      return 1
    },
    ...manySessions,
  })
  for (const key of keys) await sessions.run(key, (one) => one)
  return async () => {
    const { closed, leaked } = await sessions.drain()
    expectSame("sessions closed by drain", closed, number)
    expectSame("sessions leaked by drain", leaked.length, 0)
  }
})

const acquire = (released: () => void) =>
  Effect.acquireRelease(Effect.succeed({ one: 1 } as const), () =>
    Effect.andThen(Effect.sleep(wait), Effect.sync(released)),
  )

const effectFace = sampler("sojourn, Effect face", async (released) => {
  class Service extends Sessions.Service<Service>()("@sojourn/bench/Drain", {
    layer: () => Layer.effect(Slow, acquire(released)),
    ...manySessions,
  }) {}
  const runtime = ManagedRuntime.make(Service.layer)
  for (const key of keys) await runtime.runPromise(Service.run(key, Slow))
  return () => runtime.dispose()
})

const rcMap = sampler(
  `RcMap, ${few} entries, scaled to ${number}`,
  async (released) => {
    const { value: map, close } = await keep(
      RcMap.make({ lookup: (_key: string) => acquire(released), idleTimeToLive: "Infinity" }),
    )
    for (const key of keys.slice(0, few)) await Effect.runPromise(Effect.scoped(RcMap.get(map, key)))
    return close
  },
  few,
)

export const suite: Suite = {
  title: "Drain",
  run: async (config) => [
    await measure(config, {
      id: "drain",
      title: `end ${number} sessions with finalizers of ${wait} ms`,
      unit: "ms",
      against: [floor.name],
      samplers: [floor, promiseFace, effectFace, rcMap],
      rounds: config.quick ? 1 : 5,
      notes: [
        `RcMap closes one entry after another: ${few} of them were closed and the time taken times ${number / few}`,
      ],
    }),
  ],
}
