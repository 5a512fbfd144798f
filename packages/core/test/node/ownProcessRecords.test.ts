import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, test, vi } from "vitest"
import { parsePs, parseStat } from "../../src/node/ownProcess/parseEntry.ts"
import { lookUp, processes, world } from "../../src/node/ownProcess/processTable.ts"
import { Records, type Recorded } from "../../src/node/ownProcess/records.ts"
import { recordFolder } from "./processes.ts"

const self = lookUp(process.pid)
const uid = process.getuid?.() ?? -1
const isRoot = uid === 0
let base = ""
let folder = ""
beforeEach(() => {
  base = recordFolder()
  folder = join(base, `sojourn-${uid}`)
  vi.stubEnv("XDG_RUNTIME_DIR", base)
  return () => vi.unstubAllEnvs()
})

/** This process stands for an orphan: it runs, and its start time is known. Nothing is signalled here. */
const orphan: Recorded = { pid: process.pid, leads: false, start: self?.start ?? "" }
const line = `${process.pid} - ${self?.start}\n`
const deadHost = `${world()}.${process.pid}.1.planted`
const plant = (text = line, name = deadHost, mode = 0o600): string => {
  const file = join(folder, name)
  writeFileSync(file, text, { mode })
  chmodSync(file, mode)
  return file
}
const swept = async (): Promise<ReadonlyArray<Recorded>> => {
  const found: Array<Recorded> = []
  await new Records().sweep((orphans) => void found.push(...orphans))
  return found
}

describe.skipIf(process.platform === "win32")("what is kept on disk of owned processes", () => {
  test("L4: what a dead process left is found, and its file goes", async () => {
    mkdirSync(folder, { mode: 0o700 })
    plant()
    expect(await swept()).toEqual([orphan])
    expect(readdirSync(folder)).toEqual([])
  })

  test("L4: a process that is not the one it was is left alone", async () => {
    mkdirSync(folder, { mode: 0o700 })
    plant(`${process.pid} - 1\n${process.pid} ${process.pid} ${self?.start}0\n`)
    expect(await swept()).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  test("L4: the file of a living process stays, and so does one of another machine's or container's", async () => {
    mkdirSync(folder, { mode: 0o700 })
    plant(line, `${world()}.${process.pid}.${self?.start}.living`)
    plant(line, `elsewhere-1.${process.pid}.1.planted`)
    expect(await swept()).toEqual([])
    expect(readdirSync(folder)).toHaveLength(2)
  })

  test("L4: what we did not write so is not read", async () => {
    mkdirSync(folder, { mode: 0o700 })
    plant(
      [
        `1 - ${lookUp(1)?.start}`,
        `0 - ${self?.start}`,
        `-${process.pid} - ${self?.start}`,
        // Our own group, by a member of it.
        `${process.pid} ${self?.group === process.pid ? 1 : self?.group} ${self?.start}`,
        `${process.pid} - ${self?.start} more`,
        `${process.pid} -`,
        // Not a whole line: its writer was killed.
        `${process.pid} - ${self?.start}`,
      ].join("\n"),
    )
    plant(line, "README")
    expect(await swept()).toEqual([])
    expect(readdirSync(folder)).toEqual(["README"])
  })

  test.each([0o755, 0o770, 0o777, 0o701])("L4: a folder of mode %o is not used", async (mode) => {
    mkdirSync(folder, { mode: 0o700 })
    plant()
    chmodSync(folder, mode)
    expect(await swept()).toEqual([])
    new Records().write([orphan])
    expect(readdirSync(folder)).toEqual([deadHost])
  })

  test("L4: a link to a folder is not used, however good the folder", async () => {
    mkdirSync(folder, { mode: 0o700 })
    plant()
    renameSync(folder, join(base, "elsewhere"))
    symlinkSync(join(base, "elsewhere"), folder)
    expect(await swept()).toEqual([])
    new Records().write([orphan])
    expect(readdirSync(folder)).toEqual([deadHost])
  })

  // Only root can give a folder away.
  test.runIf(isRoot)("L4: a folder of another user is not used", async () => {
    mkdirSync(folder, { mode: 0o700 })
    plant()
    chownSync(folder, 12_345, 12_345)
    expect(await swept()).toEqual([])
    new Records().write([orphan])
    expect(readdirSync(folder)).toEqual([deadHost])
  })

  test("L4: neither are files that another user could have written, nor links", async () => {
    mkdirSync(folder, { mode: 0o700 })
    plant(line, `${world()}.${process.pid}.1.open`, 0o666)
    const outside = join(base, "outside")
    writeFileSync(outside, line, { mode: 0o600 })
    symlinkSync(outside, join(folder, `${world()}.${process.pid}.1.link`))
    mkdirSync(join(folder, `${world()}.${process.pid}.1.folder`))
    if (isRoot) chownSync(plant(line, `${world()}.${process.pid}.1.foreign`), 12_345, 12_345)
    expect(await swept()).toEqual([])
    // One that is not read does not keep others from being read.
    plant()
    expect(await swept()).toEqual([orphan])
  })

  test("L4: written when something is owned, gone when nothing is; a place that cannot be written hurts nobody", () => {
    const records = new Records()
    records.write([orphan, { pid: 7, leads: true, start: "8" }])
    const [name = ""] = readdirSync(folder)
    expect(name).toMatch(new RegExp(`^${world()}\\.${process.pid}\\.${self?.start}\\.`))
    records.write([])
    expect(readdirSync(folder)).toEqual([])
    vi.stubEnv("XDG_RUNTIME_DIR", "/proc/nowhere")
    const nowhere = new Records()
    nowhere.write([orphan])
    nowhere.write([])
  })

  test("L4: what is written is what is found", async () => {
    const owned = [orphan, { ...orphan, leads: true }]
    new Records().write(owned)
    const [name = ""] = readdirSync(folder)
    renameSync(join(folder, name), join(folder, deadHost))
    expect(await swept()).toEqual(owned)
  })
})

describe("what is known of processes", () => {
  test("a name with blanks and brackets does not shift the fields", () => {
    const fields = `S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 2000`
    const expected = { pid: 42, parent: 7, group: 42, zombie: false, start: "123456" }
    for (const name of ["sleep", "a b", ") R 1 1 (", "x) Z 9 9 9"])
      expect(parseStat(`42 (${name}) ${fields}\n`)).toEqual(expected)
    expect(parseStat(`42 (sleep) Z${fields.slice(1)}`)).toMatchObject({ zombie: true })
    for (const text of ["", "42", "42 (sleep", "42 (sleep) S 7", "x (sleep) S 7 42"])
      expect(parseStat(text)).toBeUndefined()
  })

  test("a line of ps, as macOS gives it", () => {
    expect(parsePs("  501     1   501 Ss   Sun Nov 22 18:45:17 2026    \n")).toEqual({
      pid: 501,
      parent: 1,
      group: 501,
      zombie: false,
      start: "Sun_Nov_22_18:45:17_2026",
    })
    expect(parsePs("501 1 501 Z+ Sun Nov 22 18:45:17 2026")).toMatchObject({ zombie: true })
    for (const text of ["", "\n", "501", "501 1 501 S"]) expect(parsePs(text)).toBeUndefined()
  })

  test("this process, its parent, and none of number 0", async () => {
    expect(self).toMatchObject({ pid: process.pid, parent: process.ppid, zombie: false })
    expect(lookUp(process.ppid)).toMatchObject({ pid: process.ppid })
    expect(lookUp(0)).toBeUndefined()
    expect(await processes()).toContainEqual(self)
  })
})
