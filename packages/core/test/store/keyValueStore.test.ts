import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { describe, expect, test } from "vitest"
import { keyValueStore, SessionMisuse, type SessionStore } from "../../src/index.ts"
import { farKv, memoryLayer } from "./makers.ts"

const saved = async (store: SessionStore, key: string, state: unknown, version?: string): Promise<string> => {
  const next = await store.save(key, state, version)
  if (next === undefined) throw new Error("nothing was saved")
  return next
}
const near = (): { readonly texts: Map<string, string>; readonly store: SessionStore } => {
  const texts = new Map<string, string>()
  return { texts, store: keyValueStore(farKv(texts, false)) }
}
const failing = async (work: unknown): Promise<Error> => {
  try {
    await work
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error("it did not fail")
}

describe("keyValueStore", () => {
  test("writes JSON that can be read, under names that begin with the prefix", async () => {
    const { texts, store } = near()
    const version = await saved(store, "alice", { messages: ["hello"], at: new Date(0) })
    expect([...texts.keys()]).toEqual(["sojourn:alice"])
    expect(JSON.parse(texts.get("sojourn:alice") ?? "")).toEqual({
      sojourn: 1,
      key: "alice",
      version,
      state: { messages: ["hello"], at: { $: "Date", of: 0 } },
    })
    const other = keyValueStore(farKv(texts, false), { prefix: "" })
    expect(await other.load("alice")).toBeUndefined()
    await saved(other, "x".repeat(121), 1)
    expect([...texts.keys()].at(-1)).toMatch(/^![0-9a-f]{64}$/)
  })

  test("in Effect: from the key-value store of the context", async () => {
    const store = Effect.runSync(
      Effect.map(KeyValueStore.KeyValueStore, (kv) => keyValueStore(kv)).pipe(
        Effect.provide(KeyValueStore.layerMemory),
      ),
    )
    await saved(store, "a", 1)
    expect(await store.load("a")).toMatchObject({ state: 1 })
  })

  test.for<readonly [string, (text: string) => string, "Corrupt" | "Newer"]>([
    ["cut off", (text) => text.slice(0, -1), "Corrupt"],
    ["empty", () => "", "Corrupt"],
    ["something else", () => '"state"', "Corrupt"],
    ["null", () => "null", "Corrupt"],
    ["of another key", (text) => text.replace('"key":"a"', '"key":"b"'), "Corrupt"],
    ["without a version", (text) => text.replace('"version"', '"no version"'), "Corrupt"],
    ["with a state that nobody wrote", (text) => text.replace('"state":1', '"state":{"$":"x"}'), "Corrupt"],
    ["of a later format", (text) => text.replace('"sojourn":1', '"sojourn":2'), "Newer"],
    ["of a later format that has nothing else", () => '{"sojourn":2}', "Newer"],
    ["of no format", (text) => text.replace('"sojourn":1', '"sojourn":"1"'), "Corrupt"],
  ])(
    "L25: a text %s is unreadable; it can be replaced, or set aside and kept",
    async ([, alter, unreadable]) => {
      for (const way of ["replace", "setAside"] as const) {
        const { texts, store } = near()
        await saved(store, "a", 1)
        const altered = alter(texts.get("sojourn:a") ?? "")
        texts.set("sojourn:a", altered)
        const seen = await store.load("a")
        expect(seen).toEqual({ state: undefined, version: expect.any(String), unreadable })
        expect(await store.save("a", 2, undefined)).toBeUndefined()
        if (way === "replace") await saved(store, "a", 2, seen?.version)
        else {
          await store.setAside?.("a", seen?.version ?? "")
          expect(texts.get("sojourn:a!set-aside")).toBe(altered)
          expect(await store.load("a")).toBeUndefined()
          await saved(store, "a", 2)
        }
        expect(await store.load("a")).toMatchObject({ state: 2 })
      }
    },
  )

  test("L25: where modify is atomic, nothing is written between the look and the write of another", async () => {
    const texts = new Map<string, string>()
    const mine = keyValueStore(farKv(texts, true))
    const first = await saved(mine, "a", 1)
    let wins: string | undefined
    // Another process saves after our look, and before our write.
    let calls = 0
    const slow = keyValueStore(
      farKv(texts, true, async () => {
        if (++calls === 2) wins = await saved(mine, "a", "theirs", first)
      }),
    )
    expect(await slow.save("a", "ours", first)).toBeUndefined()
    expect(await mine.load("a")).toEqual({ state: "theirs", version: wins })
  })

  test("L25: who loses writes nothing, not even what was there", async () => {
    const texts = new Map<string, string>()
    const store = keyValueStore(farKv(texts, false))
    const first = await saved(store, "a", 1)
    await saved(store, "a", 2, first)
    let writes = 0
    const watched = new Map(texts)
    watched.set = (name, text) => {
      writes++
      return Map.prototype.set.call(watched, name, text)
    }
    const late = keyValueStore(farKv(watched, false))
    expect(await late.save("a", 3, first)).toBeUndefined()
    expect(await late.save("a", 3, undefined)).toBeUndefined()
    await late.setAside?.("a", first)
    expect(writes).toBe(0)
    expect(watched).toEqual(texts)
  })

  test("a failing key-value store: our words, its error as the cause", async () => {
    const broken = new KeyValueStore.KeyValueStoreError({
      message: "the disk is full",
      method: "set",
      key: "a",
    })
    const kv: KeyValueStore.KeyValueStore = { ...memoryLayer(), set: () => Effect.fail(broken) }
    const store = keyValueStore(kv)
    const error = await failing(store.save("a secret key", 1, undefined))
    expect(error.message).toBe("The key-value store could not save a session's state.")
    expect(error.cause).toBe(broken)
    const dying = keyValueStore({ ...memoryLayer(), get: () => Effect.die(new Error("a defect")) })
    expect(await failing(dying.load("a"))).toMatchObject({ cause: { message: "a defect" } })
    // A save that failed holds up nobody.
    expect((await failing(store.save("a secret key", 1, undefined))).cause).toBe(broken)
  })

  test("saves that wait behind one that never ends are bounded", async () => {
    const { promise: never } = Promise.withResolvers<void>()
    const store = keyValueStore(farKv(new Map(), false, () => never))
    const waiting = Array.from({ length: 16 }, () => store.save("a", 1, undefined))
    for (const each of waiting) void Promise.resolve(each).catch(() => {})
    expect((await failing(store.save("a", 1, undefined))).message).toContain("16 changes")
  })

  test("options are checked", () => {
    for (const options of [{ prefix: 5 }, { maxBytes: -1 }, { name: "x" }])
      expect(() => keyValueStore(memoryLayer(), options as never)).toThrow(SessionMisuse)
  })
})
