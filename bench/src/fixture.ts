/** What every case works on: the same resource, the same task, the same sequence of keys. */
import { randomIntegers } from "./random.ts"

/** Knows which session it belongs to, so that a task which met the wrong one gives a wrong sum. */
export interface Resource {
  readonly index: number
  readonly ledger: Ledger
}

/** Counts what really happened to the resources of one case. */
export class Ledger {
  turns = 0
  opened = 0
  closed = 0
  readonly open = (key: string): Resource => {
    this.opened += 1
    return { index: indexOf(key), ledger: this }
  }
  readonly close = (): void => {
    this.closed += 1
  }
}

const prefix = "session-"

// Flat text: a key glued together by `+` is a rope that the first look-up in a Map has to flatten and copy.
const keyOf = (index: number): string => Buffer.from(`${prefix}${index}`).toString("latin1")
const indexOf = (key: string): number => Number(key.slice(prefix.length))
export const manyKeys = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => keyOf(i))

export const asyncTask = async (resource: Resource): Promise<number> => {
  resource.ledger.turns += 1
  return resource.index
}

export const syncTask = (resource: Resource): number => {
  resource.ledger.turns += 1
  return resource.index
}

/** What most real turns do at least once: wait for the event loop. */
export const oneHopTask = async (resource: Resource): Promise<number> => {
  await new Promise<void>(hop)
  resource.ledger.turns += 1
  return resource.index
}
const hop = (resolve: () => void): void => void setImmediate(resolve)

/** Which keys a batch asks for. Laid out before the batch: choosing them is not what is measured. */
export class Traffic {
  keys: ReadonlyArray<string> = []
  private sum = 0
  readonly live: ReadonlyArray<string>
  private readonly pick: (i: number) => number

  private constructor(live: ReadonlyArray<string>, pick: (i: number) => number) {
    this.live = live
    this.pick = pick
  }

  /** One after the other, and again. */
  static roundRobin(live: ReadonlyArray<string>): Traffic {
    return new Traffic(live, (i) => i % live.length)
  }

  /** Any of them, in an order that no cache can know. */
  static random(live: ReadonlyArray<string>): Traffic {
    const random = randomIntegers(live.length)
    return new Traffic(live, () => random(live.length))
  }

  readonly prepare = (count: number): void => {
    let sum = 0
    this.keys = Array.from({ length: count }, (_, i) => {
      const index = this.pick(i)
      sum += index
      return this.live[index] ?? ""
    })
    this.sum = sum
  }

  readonly expected = (): number => this.sum
}
