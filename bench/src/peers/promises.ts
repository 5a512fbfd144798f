/** Libraries that keep something per key for promise code, each used as its own documentation does. */
import { createPool, type Pool } from "generic-pool"
import { LRUCache } from "lru-cache"
import PQueue from "p-queue"
import type { Ledger, Resource } from "../fixture.ts"

/** Single flight and a limit; no order, no end of a resource in use. */
export const makeLruCache = (ledger: Ledger, max: number): LRUCache<string, Resource> =>
  new LRUCache({
    max,
    ttl: 15 * 60_000,
    fetchMethod: async (key) => ledger.open(key),
    dispose: ledger.close,
  })

/** A pool of one per key: exclusive use, so also order. */
export class KeyedPools {
  readonly pools = new Map<string, Pool<Resource>>()
  private readonly ledger: Ledger
  constructor(ledger: Ledger) {
    this.ledger = ledger
  }
  of(key: string): Pool<Resource> {
    let pool = this.pools.get(key)
    if (pool === undefined) {
      pool = createPool(
        { create: async () => this.ledger.open(key), destroy: async () => this.ledger.close() },
        { max: 1 },
      )
      this.pools.set(key, pool)
    }
    return pool
  }
}

export interface KeyedQueue {
  readonly queue: PQueue
  readonly resource: Resource
}

/** A queue of width one per key. */
export class KeyedQueues {
  readonly queues = new Map<string, KeyedQueue>()
  private readonly ledger: Ledger
  constructor(ledger: Ledger) {
    this.ledger = ledger
  }
  of(key: string): KeyedQueue {
    let entry = this.queues.get(key)
    if (entry === undefined) {
      entry = { queue: new PQueue({ concurrency: 1 }), resource: this.ledger.open(key) }
      this.queues.set(key, entry)
    }
    return entry
  }
}
