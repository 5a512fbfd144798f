/**
 * Where a pool and a cache fail those who keep live things in them; what a registry does instead is shown in
 * `packages/core/test/peers/pools.test.ts`. A test that fails here means that the peer was changed: `docs/guides/peers.md`
 * has the table to correct.
 */
import { createPool } from "generic-pool"
import { LRUCache } from "lru-cache"
import { describe, expect, it } from "vitest"

describe("generic-pool 3.9.0", () => {
  it("calls a factory that always fails again and again, and its caller waits on", async () => {
    const { promise: hundred, resolve } = Promise.withResolvers<void>()
    let creates = 0
    let stop = false
    const pool = createPool(
      {
        create: async () => {
          creates++
          if (creates === 100) resolve()
          if (!stop) throw new Error("no database")
          return creates
        },
        destroy: async () => {},
      },
      { max: 1 },
    )
    pool.on("factoryCreateError", () => {})
    let told = false
    const acquired = pool.acquire().finally(() => (told = true))
    const started = performance.now()
    await hundred
    expect(told).toBe(false)
    // No back-off: it would take seconds.
    expect(performance.now() - started).toBeLessThan(1000)
    stop = true
    await pool.release(await acquired)
    await pool.drain()
    await pool.clear()
  })
})

describe("lru-cache 11.5.3", () => {
  /** A cache of one live thing, letting go of which takes until `closed`. */
  const cacheOfOne = () => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    const alive = new Set<string>()
    let most = 0
    const disposed: Array<string> = []
    const cache = new LRUCache<string, { readonly key: string }>({
      max: 1,
      fetchMethod: async (key) => {
        alive.add(key)
        most = Math.max(most, alive.size)
        return { key }
      },
      // Its result is not looked at.
      dispose: ({ key }) => {
        disposed.push(key)
        void closed.then(() => alive.delete(key))
      },
    })
    return { cache, close, disposed, alive: () => alive.size, most: () => most }
  }

  it("has three alive where one is allowed: it does not wait for what it let go of", async () => {
    const { alive, cache, close, most } = cacheOfOne()
    for (const key of ["a", "b", "c"]) await cache.fetch(key)
    expect([cache.size, alive(), most()]).toEqual([1, 3, 3])
    close()
  })

  it("disposes of what is in use", async () => {
    const { cache, close, disposed } = cacheOfOne()
    const inUse = await cache.fetch("a")
    await cache.fetch("b")
    expect(disposed).toEqual([inUse?.key])
    close()
  })
})
