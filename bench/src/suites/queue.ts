/** A thousand tasks at once: all behind each other on one session, or ten on each of a hundred. */
import { Ledger, manyKeys, type Resource } from "../fixture.ts"
import { expectSame, measure, type Suite, throughput, type Work } from "../harness.ts"
import { HandChain } from "../peers/handChain.ts"
import { KeyedQueues } from "../peers/promises.ts"
import { makeSessions } from "../peers/sojourn.ts"

const burst = 1000
const sumOfBurst = (burst * (burst - 1)) / 2

/** Turns of one session must begin in the order in which they were handed in, and never two at a time. */
class Order {
  private readonly last = new Int32Array(100).fill(-1)
  private readonly running = new Uint8Array(100)
  readonly task =
    (number: number) =>
    async (resource: Resource): Promise<number> => {
      const { index } = resource
      const right = number > (this.last[index] ?? 0) && this.running[index] === 0
      this.last[index] = number
      this.running[index] = 1
      resource.ledger.turns += 1
      await Promise.resolve()
      this.running[index] = 0
      return right ? number : Number.NaN
    }
  readonly forget = (): void => void this.last.fill(-1)
}

const bursts = (
  name: string,
  ledger: Ledger,
  keys: ReadonlyArray<string>,
  start: (key: string, task: (resource: Resource) => Promise<number>) => Promise<number>,
): Work => {
  const order = new Order()
  return {
    name,
    scale: burst,
    batch: async (count) => {
      let sum = 0
      for (let i = 0; i < count; i++) {
        const results: Array<Promise<number>> = []
        for (let number = 0; number < burst; number++) {
          results.push(start(keys[number % keys.length] ?? "", order.task(number)))
        }
        for (const result of await Promise.all(results)) sum += result
        order.forget()
      }
      return sum
    },
    expected: (count) => count * sumOfBurst,
    turns: () => ledger.turns,
    settle: () => expectSame(`${name}: sessions opened`, ledger.opened, keys.length),
  }
}

export const suite: Suite = {
  title: "A thousand tasks at once",
  run: async (config) => {
    const groups = []
    for (const keys of [manyKeys(1), manyKeys(100)]) {
      const ledgers = [new Ledger(), new Ledger(), new Ledger()] as const
      const chain = new HandChain(ledgers[0].open)
      const sessions = makeSessions(ledgers[1], { maxQueued: burst })
      const queues = new KeyedQueues(ledgers[2])
      groups.push(
        await measure(config, {
          id: `queue/${keys.length}`,
          title: `1000 tasks at once, ${keys.length === 1 ? "all on one session" : "ten on each of 100"}, per task`,
          unit: "ns",
          against: ["by hand: Map + chain", "p-queue per key"],
          samplers: [
            bursts("by hand: Map + chain", ledgers[0], keys, (key, task) => chain.run(key, task)),
            bursts("sojourn", ledgers[1], keys, (key, task) => sessions.run(key, task)),
            bursts("p-queue per key", ledgers[2], keys, (key, task) => {
              const { queue, resource } = queues.of(key)
              return queue.add(() => task(resource))
            }),
          ].map((work) => throughput(config, "stream", work)),
        }),
      )
      await sessions.drain()
    }
    return groups
  },
}
