import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { serialize } from "node:v8"
import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { SessionMisuse, type SessionStore } from "../../src/index.ts"
import { fileStore } from "../../src/node.ts"
import { readListing } from "../../src/node/store/keyFolder.ts"
import { nameOfKey } from "../../src/node/store/stateFile.ts"
import { throughGate } from "./fsGates.ts"
import { folder } from "./makers.ts"

const saved = async (store: SessionStore, key: string, state: unknown, version?: string): Promise<string> => {
  const next = await store.save(key, state, version)
  if (next === undefined) throw new Error("nothing was saved")
  return next
}
/** A store with `states` saved one after the other under "a key", and where its files are. */
const withStates = async (...states: ReadonlyArray<unknown>) => {
  const directory = await folder()
  const store = fileStore({ directory })
  let version: string | undefined
  for (const state of states) version = await saved(store, "a key", state, version)
  const place = join(directory, nameOfKey("a key"))
  return { directory, place, store, version: version ?? "", file: join(place, `${version}.state`) }
}
const failing = async (work: unknown): Promise<Error> => {
  try {
    await work
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error("it did not fail")
}

describe("L25: a record that was altered", () => {
  test("cut off anywhere: corrupt, never a part of a state", async () => {
    const { file, store, version } = await withStates({ list: [1, 2, 3] })
    const whole = await readFile(file)
    for (let length = 0; length < whole.length; length++) {
      await writeFile(file, whole.subarray(0, length))
      expect(await store.load("a key")).toEqual({ state: undefined, version, unreadable: "Corrupt" })
    }
    await writeFile(file, whole)
    expect(await store.load("a key")).toEqual({ state: { list: [1, 2, 3] }, version })
    await writeFile(file, Buffer.concat([whole, Buffer.alloc(1)]))
    expect(await store.load("a key")).toMatchObject({ unreadable: "Corrupt" })
  })

  test("any bit of it: never a state", async () => {
    const { file, store } = await withStates({ list: [1, 2, 3] })
    const whole = await readFile(file)
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const altered = Buffer.from(whole)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await writeFile(file, altered)
      const loaded = await store.load("a key")
      expect([loaded?.state, typeof loaded?.unreadable]).toEqual([undefined, "string"])
    }
  })

  test("the record of another key is corrupt", async () => {
    const { directory, file, store, version } = await withStates("mine")
    const other = await saved(store, "another key", "not yours")
    await rename(join(directory, nameOfKey("another key"), `${other}.state`), file)
    expect(await store.load("a key")).toEqual({ state: undefined, version, unreadable: "Corrupt" })
  })

  test("a later format is newer, also one of V8's own; an earlier one than the first is corrupt", async () => {
    const { file, store, version } = await withStates("state")
    const whole = await readFile(file)
    const changed = async (change: (bytes: Buffer) => unknown): Promise<unknown> => {
      const bytes = Buffer.from(whole)
      change(bytes)
      await writeFile(file, bytes)
      return store.load("a key")
    }
    const newer = { state: undefined, version, unreadable: "Newer" }
    expect(await changed((bytes) => bytes.writeUInt32BE(2, 8))).toEqual(newer)
    expect(await changed((bytes) => bytes.writeUInt32BE(0, 8))).toMatchObject({ unreadable: "Corrupt" })
    // Whole, with a checksum that is right, and a version of V8's format that no Node has yet.
    const later = (bytes: Buffer): void => {
      const at = bytes.length - serialize("state").length
      expect(bytes[at]).toBe(0xff)
      bytes[at + 1] = 0x7f
      createHash("sha256").update(bytes.subarray(44)).digest().copy(bytes, 12)
    }
    expect(await changed(later)).toEqual(newer)
    // A later format may have anything behind its number.
    await writeFile(file, whole.subarray(0, 12))
    expect(await store.load("a key")).toMatchObject({ unreadable: "Corrupt" })
    await writeFile(file, Buffer.concat([whole.subarray(0, 8), Buffer.from([0, 0, 0, 9])]))
    expect(await store.load("a key")).toEqual(newer)
  })

  test("it can be replaced, or set aside and kept", async () => {
    const { directory, file, store, version } = await withStates("state")
    await writeFile(file, "nonsense")
    const next = await saved(store, "a key", "next", version)
    expect(await store.load("a key")).toEqual({ state: "next", version: next })
    await writeFile(join(directory, nameOfKey("a key"), `${next}.state`), "more nonsense")
    await store.setAside?.("a key", next)
    expect(await store.load("a key")).toBeUndefined()
    const [kept = "", ...others] = await readdir(join(directory, "set-aside"))
    expect(others).toEqual([])
    expect(await readFile(join(directory, "set-aside", kept), "utf8")).toBe("more nonsense")
    await saved(store, "a key", "again")
  })
})

describe("L25: a folder that was altered", () => {
  test.for<readonly [string, (place: string, version: string) => Promise<unknown>]>([
    ["no head", (place, version) => rm(join(place, `${version}.head`))],
    ["no state", (place, version) => rm(join(place, `${version}.state`))],
    [
      "a second head",
      async (place) => {
        await writeFile(join(place, "0.head"), "")
        await writeFile(join(place, "0.state"), "")
      },
    ],
    ["a marker beside the head", (place) => writeFile(join(place, "0.none"), "")],
  ])("%s: corrupt; set aside, or replaced, it is as new", async ([, alter]) => {
    for (const way of ["replace", "setAside"] as const) {
      const { directory, place, store, version } = await withStates("first", "second")
      await alter(place, version)
      const seen = await store.load("a key")
      expect(seen).toMatchObject({ state: undefined, unreadable: "Corrupt" })
      expect(await store.save("a key", "blind", undefined)).toBeUndefined()
      expect(await store.save("a key", "blind", "another")).toBeUndefined()
      let next: string
      if (way === "replace") next = await saved(store, "a key", "next", seen?.version)
      else {
        await store.setAside?.("a key", seen?.version ?? "")
        expect(await store.load("a key")).toBeUndefined()
        next = await saved(store, "a key", "next")
      }
      expect(await fileStore({ directory }).load("a key")).toEqual({ state: "next", version: next })
      await store.remove("a key")
      expect(await store.load("a key")).toBeUndefined()
    }
  })

  test("an empty folder is nothing", async () => {
    const { place, store } = await withStates("state")
    await store.remove("a key")
    await mkdir(place)
    expect(await store.load("a key")).toBeUndefined()
    await saved(store, "a key", "state")
  })

  test("the whole directory is gone: nothing is stored, and old versions are old", async () => {
    const { directory, store, version } = await withStates("state")
    await rm(directory, { recursive: true })
    expect(await store.load("a key")).toBeUndefined()
    expect(await store.save("a key", "late", version)).toBeUndefined()
    await store.remove("a key")
    await saved(store, "a key", "new")
  })

  test.for<readonly [string, ReadonlyArray<string>, ReturnType<typeof readListing>]>([
    [
      "both names of a head that is being renamed",
      ["1.head", "1.state", "2.head", "2.state"],
      { kind: "damaged", version: "damaged", from: undefined },
    ],
    ["neither of them", ["1.state", "2.state"], { kind: "damaged", version: "damaged", from: undefined }],
    [
      "a head whose state went with its folder, beside one with a state",
      ["1.head", "2.head", "2.state"],
      { kind: "stored", version: "2", from: "2.head" },
    ],
    [
      "states that were never put in place",
      ["1.state", "2.head", "2.state", "3.state"],
      { kind: "stored", version: "2", from: "2.head" },
    ],
    [
      "a marker and a state that is being written",
      ["1.none", "2.state"],
      { kind: "nothing", version: undefined, from: "1.none" },
    ],
    ["two markers", ["1.none", "2.none"], { kind: "damaged", version: "damaged", from: undefined }],
    [
      "a marker and a head",
      ["1.none", "2.head", "2.state"],
      { kind: "damaged", version: "damaged", from: undefined },
    ],
    ["a head alone", ["1.head"], { kind: "damaged", version: "1", from: "1.head" }],
    ["a file of somebody else", ["notes.txt"], { kind: "damaged", version: "damaged", from: undefined }],
  ])("a list with %s", ([, files, listing]) => {
    expect(readListing(files)).toEqual(listing)
    expect(readListing(files.toReversed())).toEqual(listing)
  })
})

describe("L25: what is on the disk", () => {
  test("one state for each key, in files that only their user can read, with names that say nothing", async () => {
    const { directory, place, version } = await withStates({ secret: 1 }, { secret: 2 })
    expect(await readdir(directory)).toEqual(expect.arrayContaining([nameOfKey("a key"), "tmp"]))
    expect((await readdir(place)).toSorted()).toEqual([`${version}.head`, `${version}.state`])
    expect(await readdir(join(directory, "tmp"))).toEqual([])
    if (process.platform === "win32") return
    const modes = async (...paths: ReadonlyArray<string>): Promise<ReadonlyArray<number>> =>
      Promise.all(paths.map(async (path) => (await stat(path)).mode & 0o777))
    expect(await modes(join(directory, "tmp"), place)).toEqual([0o700, 0o700])
    expect(await modes(join(place, `${version}.head`), join(place, `${version}.state`))).toEqual([
      0o600, 0o600,
    ])
    const nested = fileStore({ directory: join(directory, "x", "y") })
    await nested.setAside?.("b", await saved(nested, "b", 1))
    expect(await modes(join(directory, "x"), join(directory, "x", "y"))).toEqual([0o700, 0o700])
    const aside = join(directory, "x", "y", "set-aside")
    expect(await modes(aside, join(aside, (await readdir(aside))[0] ?? ""))).toEqual([0o700, 0o600])
  })

  test("no two keys have one name, also where case and Unicode forms do not count", () => {
    const names = ["a", "A", "\u00e9", "e\u0301", "\ud800", "\ud801", "\ufffd", "", "x".repeat(10_000)].map(
      nameOfKey,
    )
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{64}$/)
  })

  test("the next save of a key sweeps what dead writers left in its folder", async () => {
    const { place, store, version } = await withStates("state")
    await writeFile(join(place, "dead.state"), "half a st")
    await writeFile(join(place, "stray.head"), "")
    expect(await store.load("a key")).toEqual({ state: "state", version })
    const next = await saved(store, "a key", "next", version)
    expect((await readdir(place)).toSorted()).toEqual([`${next}.head`, `${next}.state`])
  })

  test("a new key sweeps what dead processes left in tmp, and not what may still be needed", async () => {
    const directory = await folder()
    const tmp = join(directory, "tmp")
    const left = ["old.new", "young.new", "old.gone", "young.gone"]
    for (const name of left) {
      await mkdir(join(tmp, name), { recursive: true })
      await writeFile(join(tmp, name, "1.head"), "")
    }
    const longAgo = new Date(Date.now() - 11 * 60_000)
    for (const name of left.filter((each) => each.startsWith("old")))
      await utimes(join(tmp, name), longAgo, longAgo)
    const store = fileStore({ directory })
    await saved(store, "a key", "state")
    expect(await readdir(tmp)).toEqual(["young.new"])
    // Not at each save: who makes many sessions would look there all the time.
    await mkdir(join(tmp, "later.gone"))
    await saved(store, "another key", "state")
    expect((await readdir(tmp)).toSorted()).toEqual(["later.gone", "young.new"])
  })

  test("a writer that was taken for dead, and swept by one that then died, saves all the same", async () => {
    const directory = await folder()
    const held = Promise.withResolvers<void>()
    const atRename = Promise.withResolvers<void>()
    const died = Promise.withResolvers<void>()
    let sweeping = false
    using _ = throughGate(async (name, work) => {
      if (sweeping && name === "rm") {
        died.resolve()
        return new Promise(() => {})
      }
      if (!sweeping && name === "rename") {
        atRename.resolve()
        await held.promise
      }
      return work()
    })
    const slow = fileStore({ directory })
    const saving = saved(slow, "a key", "slow")
    await atRename.promise
    const tmp = join(directory, "tmp")
    const [made = ""] = await readdir(tmp)
    await utimes(join(tmp, made), 0, 0)
    sweeping = true
    void fileStore({ directory }).save("another key", 1, undefined)
    await died.promise
    sweeping = false
    held.resolve()
    const version = await saving
    expect(await slow.load("a key")).toEqual({ state: "slow", version })
  })

  test("of what is set aside the last 100 are kept", async () => {
    const { directory, store } = await withStates()
    const aside = join(directory, "set-aside")
    await mkdir(aside)
    const older = Array.from({ length: 100 }, (_, n) => `${String(n).padStart(15, "0")}-older`)
    for (const name of older) await writeFile(join(aside, name), "")
    await store.setAside?.("a key", await saved(store, "a key", "state"))
    const names = (await readdir(aside)).toSorted()
    expect(names).toHaveLength(100)
    expect(names.slice(0, 99)).toEqual(older.slice(1))
    expect(names[99]).toContain(nameOfKey("a key"))
  })

  test("removing leaves nothing of the state, also of what never was put in place", async () => {
    const { directory, place, store } = await withStates("state")
    await writeFile(join(place, "dead.state"), "half a st")
    await store.remove("a key")
    expect(await readdir(directory)).toEqual(["tmp"])
    expect(await readdir(join(directory, "tmp"))).toEqual([])
  })

  test("a Buffer comes back as a Buffer, with its own bytes alone", async () => {
    const pooled = Buffer.from("pooled")
    const { file, store } = await withStates({ pooled })
    expect((await store.load("a key"))?.state).toStrictEqual({ pooled })
    expect((await stat(file)).size).toBeLessThan(200)
  })
})

describe("errors", () => {
  test("a directory that cannot be: the path, the reason and the cause, not the key", async () => {
    const file = join(await folder(), "file")
    await writeFile(file, "")
    const store = fileStore({ directory: join(file, "states") })
    for (const work of [
      () => store.load("my secret key"),
      () => store.save("my secret key", 1, undefined),
      () => store.remove("my secret key"),
      () => store.setAside?.("my secret key", "1"),
    ]) {
      const error = await failing(work())
      expect(error.message).toContain(join(file, "states"))
      expect(error.message).toContain("ENOTDIR")
      expect(error.cause).toMatchObject({ code: "ENOTDIR", syscall: expect.any(String) })
      expect(`${error.stack} ${String(error.cause)}`).not.toContain("secret")
    }
  })

  test.skipIf(process.platform === "win32")("a directory that may not be written", async () => {
    // On Linux there is one in which not even root can make anything.
    let directory = "/sys/sojourn-states"
    if (process.platform !== "linux") {
      directory = await folder()
      await chmod(directory, 0o500)
    }
    const error = await failing(fileStore({ directory }).save("my secret key", 1, undefined))
    expect(error.message).toMatch(/^Could not save a session's state in .*: E(ACCES|PERM|ROFS): /)
    expect(error.message).not.toContain("secret")
  })

  test("options are checked when the store is made, and nothing is made on the disk", async () => {
    const directory = join(await folder(), "states")
    for (const [options, says] of [
      [undefined, "options"],
      [{}, "directory"],
      [{ directory: "" }, "directory"],
      [{ directory: 5 }, "directory"],
      [{ directory, maxBytes: 0 }, "maxBytes"],
      [{ directory, maxByte: 1 }, "maxByte"],
    ] as const) {
      const error = await failing((async () => fileStore(options as never))())
      expect(error).toBeInstanceOf(SessionMisuse)
      expect(error.message).toContain(says)
    }
    const store = fileStore({ directory })
    await store.load("a key")
    await store.remove("a key")
    await store.setAside?.("a key", "1")
    await expect(readdir(directory)).rejects.toMatchObject({ code: "ENOENT" })
  })
})
