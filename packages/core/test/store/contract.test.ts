/** What every store has to do, whatever it keeps its records in. */
import { describe, expect, test } from "vitest"
import type { SessionStore, Stored } from "../../src/index.ts"
import { makers } from "./makers.ts"

const saved = async (store: SessionStore, key: string, state: unknown, version?: string): Promise<string> => {
  const next = await store.save(key, state, version)
  if (next === undefined) throw new Error("nothing was saved")
  return next
}
const stateOf = async (store: SessionStore, key: string): Promise<unknown> => (await store.load(key))?.state
const setAside = async (store: SessionStore, key: string, version: string): Promise<void> => {
  if (store.setAside === undefined) throw new Error("this store has no setAside")
  await store.setAside(key, version)
}
const attempt = async (work: () => unknown): Promise<unknown> => {
  try {
    return await work()
  } catch (error) {
    return error
  }
}

/** Canonical keys have nothing of this. A store must not rely on it. */
const hostileKeys = [
  "",
  ".",
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "C:\\con",
  "con",
  "a\0b",
  "a\nb",
  " a",
  "a",
  "A",
  "a!set-aside",
  "!set-aside",
  "%61",
  "=61",
  "\u00e9",
  "e\u0301",
  "\u{1f600}",
  "\ud83d",
  "\ude00",
  "\ufffd",
  "__proto__",
  "constructor",
  "tmp",
  "set-aside",
  "x".repeat(10_000),
  "X".repeat(10_000),
  `${"x".repeat(9_999)}y`,
  "x".repeat(120),
  "x".repeat(121),
  "\u{1f600}".repeat(300),
]

describe.each(Object.entries(makers))("L25: %s", (_, make) => {
  test("what is saved is loaded, under the version that save gave", async () => {
    const store = await make()
    expect(await store.load("a")).toBeUndefined()
    const version = await saved(store, "a", { count: 1 })
    expect(await store.load("a")).toStrictEqual({ state: { count: 1 }, version } satisfies Stored)
    expect(await store.load("b")).toBeUndefined()
  })

  test("compare-and-set: only the version that is stored can be replaced", async () => {
    const store = await make()
    const first = await saved(store, "a", 1)
    expect(await store.save("a", 2, undefined)).toBeUndefined()
    expect(await store.save("a", 2, "no such version")).toBeUndefined()
    const second = await saved(store, "a", 2, first)
    expect(await store.save("a", 3, first)).toBeUndefined()
    expect(await stateOf(store, "a")).toBe(2)
    await saved(store, "a", 3, second)
    expect(await stateOf(store, "a")).toBe(3)
    expect(await store.save("b", 1, first)).toBeUndefined()
    expect(await store.load("b")).toBeUndefined()
  })

  test("of many who save at once on one version, one succeeds, and its state is what is stored", async () => {
    const store = await make()
    let version: string | undefined
    for (let round = 0; round < 5; round++) {
      const base = version
      const answers = await Promise.all(
        Array.from({ length: 12 }, (__, writer) => attempt(() => store.save("a", { round, writer }, base))),
      )
      const winners = answers.flatMap((answer, writer) =>
        typeof answer === "string" ? [{ answer, writer }] : [],
      )
      expect(answers.filter((answer) => answer instanceof Error)).toEqual([])
      expect(winners).toHaveLength(1)
      version = winners[0]?.answer
      expect(await store.load("a")).toStrictEqual({ state: { round, writer: winners[0]?.writer }, version })
    }
  })

  test("a version never comes back: not after remove, not after setAside", async () => {
    const store = await make()
    const versions = new Array<string>()
    for (let life = 0; life < 3; life++) {
      versions.push(await saved(store, "a", life))
      versions.push(await saved(store, "a", life, versions.at(-1)))
      if (life === 1) await setAside(store, "a", versions.at(-1) ?? "")
      else await store.remove("a")
      expect(await store.load("a")).toBeUndefined()
      for (const old of versions) expect(await store.save("a", "late", old)).toBeUndefined()
      expect(await store.load("a")).toBeUndefined()
    }
    versions.push(await saved(store, "a", "last"))
    expect(new Set(versions).size).toBe(versions.length)
    for (const old of versions.slice(0, -1)) expect(await store.save("a", "late", old)).toBeUndefined()
    expect(await stateOf(store, "a")).toBe("last")
  })

  test("remove and setAside of what is not there do nothing; setAside of another version neither", async () => {
    const store = await make()
    await store.remove("a")
    await setAside(store, "a", "no such version")
    const first = await saved(store, "a", 1)
    const second = await saved(store, "a", 2, first)
    await setAside(store, "a", first)
    await setAside(store, "a", "no such version")
    await store.remove("b")
    expect(await store.load("a")).toStrictEqual({ state: 2, version: second })
  })

  test("what is stored shares nothing with the program", async () => {
    const store = await make()
    const state = { list: [1] }
    const saving = store.save("a", state, undefined)
    state.list.push(2)
    await saving
    state.list.push(3)
    const loaded = await stateOf(store, "a")
    expect(loaded).toStrictEqual({ list: [1] })
    ;(loaded as typeof state).list.push(4)
    expect(await stateOf(store, "a")).toStrictEqual({ list: [1] })
  })

  test("a state comes back as it was", async () => {
    const store = await make()
    const shared = { bytes: Uint8Array.of(1, 2, 255), name: "\u{1f600}\ud800\0" }
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    const states = [
      undefined,
      null,
      true,
      0,
      -0,
      Number.NaN,
      -Infinity,
      2 ** 53,
      -(2n ** 70n),
      "",
      [],
      {},
      Object.assign([undefined, null], { 3: 1 }),
      { a: undefined, $: "Map", of: [1], ["__proto__"]: { polluted: true }, 1: "one" },
      new Date(0),
      new Date(Number.NaN),
      /a+\/"/giu,
      new Map<unknown, unknown>([
        [{ key: 1 }, new Set([shared])],
        [shared, shared],
      ]),
      new Float64Array([1, -0, Number.NaN]),
      new DataView(Uint8Array.of(1, 2, 3).buffer),
      Uint8Array.of(7, 8, 9).buffer,
      new Uint8Array(),
      [shared, [shared]],
      cycle,
    ]
    for (const [index, state] of states.entries()) {
      await saved(store, `state ${index}`, state)
      expect(await stateOf(store, `state ${index}`)).toStrictEqual(state)
    }
    const [one, [two]] = (await stateOf(store, `state ${states.indexOf(cycle) - 1}`)) as [unknown, [unknown]]
    expect(one).toBe(two)
    expect(Object.getPrototypeOf(await stateOf(store, "state 13"))).toBe(Object.prototype)
    const error = new RangeError("too far", { cause: { line: 3 } })
    const version = await saved(store, "error", error)
    const loaded = await stateOf(store, "error")
    expect(loaded).toStrictEqual(error)
    expect(loaded).toBeInstanceOf(RangeError)
    expect(loaded).toMatchObject({ stack: error.stack, cause: { line: 3 } })
    expect(version).not.toBe("")
  })

  test("what cannot come back is refused, and the last state stays", async () => {
    const store = await make()
    const version = await saved(store, "a", "good")
    let deep: unknown = 0
    for (let level = 0; level < 600; level++) deep = [deep]
    const wrong: ReadonlyArray<readonly [unknown, string]> = [
      [() => 1, "a function"],
      [{ run: () => 1 }, "a function"],
      [[Symbol("x")], "a symbol"],
      [new Map([[1, new URL("http://127.0.0.1/")]]), "URL"],
      [new Blob(["x"]), "Blob"],
      [new WeakMap(), "WeakMap"],
      [Promise.resolve(1), "Promise"],
      [Object("boxed"), "String"],
      [new DOMException("x"), "DOMException"],
      [new SharedArrayBuffer(1), "SharedArrayBuffer"],
      [new Uint8Array(new SharedArrayBuffer(1)), "SharedArrayBuffer"],
      [deep, "500 levels"],
    ]
    for (const [state, says] of wrong) {
      expect(await attempt(() => store.save("a", state, version))).toMatchObject({
        message: expect.stringContaining(says),
      })
    }
    const failing = {
      get bad(): never {
        throw new Error("not now")
      },
    }
    expect(await attempt(() => store.save("a", failing, version))).toMatchObject({ message: "not now" })
    expect(await store.load("a")).toStrictEqual({ state: "good", version })
  })

  test("a state over maxBytes is refused: the limit is named, and how to raise it", async () => {
    const store = await make()
    const version = await saved(store, "a", "x".repeat(520_000))
    const tooLarge = await attempt(() => store.save("a", "x".repeat(530_000), version))
    expect(tooLarge).toBeInstanceOf(RangeError)
    expect(tooLarge).toMatchObject({ message: expect.stringMatching(/1048576 bytes.*maxBytes/) })
    expect((await store.load("a"))?.version).toBe(version)

    const small = await make({ maxBytes: 100 })
    expect(await attempt(() => small.save("a", "x".repeat(47), undefined))).toBeInstanceOf(RangeError)
    await saved(small, "a", "x".repeat(46))
    const large = await make({ maxBytes: Infinity })
    await saved(large, "a", "x".repeat(3_000_000))
  })

  test("any text is a key, and no two keys meet", async () => {
    const store = await make()
    const versions = await Promise.all(hostileKeys.map((key, index) => saved(store, key, { index })))
    expect(await Promise.all(hostileKeys.map(async (key) => store.load(key)))).toStrictEqual(
      versions.map((version, index) => ({ state: { index }, version })),
    )
    await Promise.all(
      hostileKeys.map((key, index) =>
        index % 2 === 0 ? store.remove(key) : setAside(store, key, versions[index] ?? ""),
      ),
    )
    expect(await Promise.all(hostileKeys.map(async (key) => store.load(key)))).toEqual(
      hostileKeys.map(() => undefined),
    )
  })

  test("setAside keeps other keys, and what comes after it is kept", async () => {
    const store = await make()
    await saved(store, "b", "other")
    for (let round = 0; round < 3; round++) {
      await setAside(store, "a", await saved(store, "a", round))
      expect(await store.load("a")).toBeUndefined()
    }
    const version = await saved(store, "a", "again")
    expect(await store.load("a")).toStrictEqual({ state: "again", version })
    expect(await stateOf(store, "b")).toBe("other")
  })

  test("the calls need no `this`", async () => {
    const { load, save, remove, setAside: aside } = await make()
    const version = await save("a", 1, undefined)
    expect(await load("a")).toEqual({ state: 1, version })
    await aside?.("a", version ?? "")
    await remove("a")
    expect(await load("a")).toBeUndefined()
  })
})
