import { describe, expect, test } from "vitest"
import { memoryStore, SessionMisuse } from "../../src/index.ts"

const fill = (store: ReturnType<typeof memoryStore>, from: number, to: number): void => {
  for (let n = from; n < to; n++) expect(store.save(`key ${n}`, n, undefined)).toEqual(expect.any(String))
}

describe("memoryStore", () => {
  test("answers at once", () => {
    const store = memoryStore()
    expect(store.load("a")).toBeUndefined()
    const version = store.save("a", 1, undefined)
    expect(version).toEqual(expect.any(String))
    expect(store.load("a")).toEqual({ state: 1, version })
    expect(store.remove("a")).toBeUndefined()
    expect(store.setAside?.("a", "1")).toBeUndefined()
  })

  test("keeps the last 1000 keys: the one saved longest ago is forgotten", () => {
    const store = memoryStore()
    fill(store, 0, 1000)
    const again = store.save("key 0", "again", (store.load("key 0") as { readonly version: string }).version)
    store.load("key 1")
    fill(store, 1000, 1001)
    expect(store.load("key 0")).toEqual({ state: "again", version: again })
    expect(store.load("key 1")).toBeUndefined()
    expect(store.load("key 2")).toMatchObject({ state: 2 })
  })

  test("L25: who had read a key that is forgotten for want of room may still save; nobody else wrote", () => {
    const store = memoryStore({ keys: 2 })
    const version = store.save("a", "first", undefined) as string
    fill(store, 0, 2)
    expect(store.load("a")).toBeUndefined()
    const next = store.save("a", "second", version) as string
    expect(store.load("a")).toEqual({ state: "second", version: next })
    expect(store.save("a", "late", version)).toBeUndefined()
  })

  test("L25: but not when somebody has written or removed it since, or set it aside", () => {
    const store = memoryStore({ keys: 2 })
    const make = (): string => {
      const version = store.save("a", "first", undefined) as string
      for (const key of ["b", "c"]) {
        store.remove(key)
        store.save(key, 0, undefined)
      }
      expect(store.load("a")).toBeUndefined()
      return version
    }
    const written = make()
    expect(store.save("a", "another", undefined)).toEqual(expect.any(String))
    expect(store.save("a", "late", written)).toBeUndefined()
    store.remove("a")

    const removed = make()
    store.remove("a")
    expect(store.save("a", "late", removed)).toBeUndefined()

    const aside = make()
    store.setAside?.("a", aside)
    expect(store.save("a", "late", aside)).toBeUndefined()

    const replaced = make()
    store.setAside?.("a", store.save("a", "another", undefined) as string)
    expect(store.save("a", "late", replaced)).toBeUndefined()
  })

  test("what it remembers of forgotten keys is bounded", () => {
    const store = memoryStore({ keys: 3 })
    const versions = Array.from({ length: 100 }, (_, n) => store.save(`key ${n}`, n, undefined) as string)
    // Those of the last 3 + 30 keys.
    const known = versions.filter((version, n) => store.save(`key ${n}`, "late", version) !== undefined)
    expect(known.length).toBeLessThanOrEqual(33)
    expect(store.save("key 99", "x", versions[99])).toBeUndefined()
  })

  test("L25: a state that saves while it is being copied does not break compare-and-set", () => {
    const store = memoryStore()
    const version = store.save("a", "first", undefined) as string
    let inner: unknown
    const state = {
      get name(): string {
        inner ??= store.save("a", "inner", version)
        return "outer"
      },
    }
    const outer = store.save("a", state, version)
    expect([inner, outer].filter((each) => each !== undefined)).toHaveLength(1)
  })

  test("options are checked", () => {
    for (const options of [{ keys: 0 }, { keys: 1.5 }, { maxBytes: 0 }, { size: 5 }, null])
      expect(() => memoryStore(options as never)).toThrow(SessionMisuse)
    expect(memoryStore({ keys: Infinity, maxBytes: undefined }).load("a")).toBeUndefined()
  })
})
