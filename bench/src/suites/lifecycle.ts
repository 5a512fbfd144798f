/** Opening and closing: what a session costs once, whatever its resource costs. */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as RcMap from "effect/RcMap"
import { asyncTask, Ledger, manyKeys } from "../fixture.ts"
import { expectSame, measure, type Plan, type Suite, throughput, type Work } from "../harness.ts"
import { Held, makeRcMap, makeRuntime } from "../peers/effects.ts"
import { HandChain } from "../peers/handChain.ts"
import { makeLruCache } from "../peers/promises.ts"
import { makeSessions } from "../peers/sojourn.ts"
import { makeService } from "../peers/sojournEffect.ts"

/** Every session of a batch is new; they are closed outside the timed part, or are what is timed. */
const most = 20_000
const keys = manyKeys(most)
const sumTo = (count: number): number => (count * (count - 1)) / 2

interface Subject {
  readonly name: string
  readonly ledger: Ledger
  readonly run: (key: string) => Promise<number>
  readonly close: (key: string) => Promise<unknown>
  readonly end: () => unknown
}

const settled = ({ name, ledger }: Subject) =>
  expectSame(`${name}: sessions closed`, ledger.closed, ledger.opened)

const opening = (subject: Subject): Work => ({
  name: subject.name,
  most,
  batch: async (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum += await subject.run(keys[i] ?? "")
    return sum
  },
  expected: sumTo,
  turns: () => subject.ledger.turns,
  settle: async (count) => {
    for (let i = 0; i < count; i++) await subject.close(keys[i] ?? "")
    settled(subject)
  },
})

const closing = (subject: Subject): Work => ({
  name: subject.name,
  most,
  prepare: async (count) => {
    for (let i = 0; i < count; i++) await subject.run(keys[i] ?? "")
  },
  batch: async (count) => {
    const before = subject.ledger.closed
    for (let i = 0; i < count; i++) await subject.close(keys[i] ?? "")
    return subject.ledger.closed - before
  },
  expected: (count) => count,
  settle: () => settled(subject),
})

const cycling = (subject: Subject): Work => ({
  name: subject.name,
  most,
  batch: async (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const key = keys[i] ?? ""
      sum += await subject.run(key)
      await subject.close(key)
    }
    return sum
  },
  expected: sumTo,
  turns: () => subject.ledger.turns,
  settle: () => settled(subject),
})

const promiseFace = (): Subject => {
  const ledger = new Ledger()
  const sessions = makeSessions(ledger)
  return {
    name: "sojourn, Promise face",
    ledger,
    run: (key) => sessions.run(key, asyncTask),
    close: (key) => sessions.close(key),
    end: () => sessions.drain(),
  }
}

const turn = Effect.flatMap(Held, (resource) => Effect.promise(() => asyncTask(resource)))

const effectFace = (): Subject => {
  const ledger = new Ledger()
  const Service = makeService(ledger)
  const runtime = ManagedRuntime.make(Service.layer)
  return {
    name: "sojourn, Effect face",
    ledger,
    run: (key) => runtime.runPromise(Service.run(key, turn)),
    close: (key) => runtime.runPromise(Service.close(key)),
    end: () => runtime.dispose(),
  }
}

const byHand = (): Subject => {
  const ledger = new Ledger()
  const chain = new HandChain(ledger.open)
  return {
    name: "by hand: Map + chain",
    ledger,
    run: (key) => chain.run(key, asyncTask),
    close: (key) => chain.close(key, ledger),
    end: () => {},
  }
}

const lruCache = (): Subject => {
  const ledger = new Ledger()
  const cache = makeLruCache(ledger, most + 1)
  // Deleting its last entry clears arrays of the size of its limit, which no cache in use ever does.
  cache.set("resident", { index: 0, ledger })
  return {
    name: "lru-cache fetch",
    ledger,
    run: async (key) => {
      const resource = await cache.fetch(key)
      return resource === undefined ? Number.NaN : asyncTask(resource)
    },
    close: async (key) => cache.delete(key),
    end: () => cache.clear(),
  }
}

const runtimes = (): Subject => {
  const ledger = new Ledger()
  const live = new Map<string, ReturnType<typeof makeRuntime>>()
  return {
    name: "ManagedRuntime per key",
    ledger,
    run: (key) => {
      const runtime = makeRuntime(ledger, key)
      live.set(key, runtime)
      return runtime.runPromise(turn)
    },
    close: async (key) => {
      await live.get(key)?.dispose()
      live.delete(key)
    },
    end: () => {},
  }
}

const rcMap = async (): Promise<Subject> => {
  const ledger = new Ledger()
  const { value: map, close } = await makeRcMap(ledger, "Infinity")
  return {
    name: "RcMap.get + run",
    ledger,
    run: (key) =>
      Effect.runPromise(
        Effect.scoped(
          Effect.flatMap(RcMap.get(map, key), (resource) => Effect.promise(() => asyncTask(resource))),
        ),
      ),
    close: (key) => Effect.runPromise(RcMap.invalidate(map, key)),
    end: close,
  }
}

export const suite: Suite = {
  title: "Open, close, and both",
  run: async (config) => {
    const subjects = [byHand(), promiseFace(), effectFace(), lruCache(), runtimes(), await rcMap()]
    const against = ["by hand: Map + chain", "RcMap.get + run", "ManagedRuntime per key"]
    const plan = (id: string, title: string, work: (subject: Subject) => Work): Plan => ({
      id: `lifecycle/${id}`,
      title,
      unit: "ns",
      against,
      samplers: subjects.map((subject) => throughput(config, "stream", work(subject))),
    })
    const groups = [
      await measure(config, plan("open", "open a session and run its first task", opening)),
      await measure(config, plan("close", "close an idle session", closing)),
      await measure(config, plan("cycle", "open, one task, close", cycling)),
    ]
    for (const subject of subjects) await subject.end()
    return groups
  },
}
