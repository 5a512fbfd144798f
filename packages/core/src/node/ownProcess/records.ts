/**
 * What each process owns, on disk, for the case that its watchdog dies with it: a file for each, in a folder that only
 * this user can have written to. Whoever could plant a file there could have processes of ours ended.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
} from "node:fs"
import { renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { isAbsolute, join } from "node:path"
import { processes, lookUp, world } from "./processTable.ts"

/** A process that was owned, as it was known then. */
export interface Recorded {
  readonly pid: number
  readonly leads: boolean
  readonly start: string
}

export const lineOf = ({ pid, leads, start }: Recorded): string => `${pid} ${leads ? pid : "-"} ${start}`
const recordedOf = (line: string): Recorded | undefined => {
  const [, pid, group, start] = /^([1-9]\d{0,9}) (-|[1-9]\d{0,9}) ([\w:]{1,64})$/.exec(line) ?? []
  if (pid === undefined || start === undefined || Number(pid) < 2) return undefined
  // A group is named after its leader; any other was not written by us.
  if (group !== "-" && group !== pid) return undefined
  return { pid: Number(pid), leads: group === pid, start }
}

/** `<world>.<pid of the host>.<its start time>.<which copy of this module>` */
const nameOf = /^(.+)\.([1-9]\d{0,9})\.([\w:]{1,64})\.[\da-z]+~?$/

export class Records {
  readonly #world = world()
  /** Where numbers of users mean nothing, nothing is kept. */
  readonly #uid = process.getuid?.() ?? -1
  readonly #folder = folderOf(this.#uid)
  readonly #self: string | undefined

  constructor() {
    const host = lookUp(process.pid)
    // More than one in one process: worker threads, a second copy of the package.
    const copy = Math.random().toString(36).slice(2, 10)
    if (this.#world !== undefined && host !== undefined)
      this.#self = `${this.#world}.${process.pid}.${host.start}.${copy}`
  }

  /** In place of what was written before; nothing owned: no file. Whatever fails, the watchdog is still there. */
  write(owned: ReadonlyArray<Recorded>): void {
    if (this.#self === undefined || this.#uid === -1) return
    try {
      if (owned.length > 0 && !existsSync(this.#folder)) mkdirSync(this.#folder, { mode: 0o700 })
      if (!isSafe(this.#folder, this.#uid)) return
      const file = join(this.#folder, this.#self)
      if (owned.length === 0) return rmSync(file, { force: true })
      // Aside, then renamed: never half a file.
      writeFileSync(`${file}~`, owned.map((one) => `${lineOf(one)}\n`).join(""), { mode: 0o600 })
      renameSync(`${file}~`, file)
    } catch {
      // A full disk, a folder that was cleaned away.
    }
  }

  /** Takes over what processes left that are dead: what of it still runs is given to `adopt`, and their files go. */
  async sweep(adopt: (orphans: ReadonlyArray<Recorded>) => void): Promise<void> {
    const left = this.#left()
    if (left.length === 0) return
    // After the files: a process that has written one since is in the table.
    const table = new Map((await processes()).map((entry) => [entry.pid, entry]))
    const isRunning = (pid: number, start: string): boolean => {
      const entry = table.get(pid)
      return entry?.start === start && !entry.zombie
    }
    if (table.size === 0) return
    for (const { file, host, owned } of left) {
      if (isRunning(host.pid, host.start)) continue
      adopt(owned.filter(({ pid, start }) => isRunning(pid, start)))
      // From now on they are in our own file.
      rmSync(file, { force: true })
    }
  }

  #left(): ReadonlyArray<Left> {
    try {
      const folder = this.#folder
      if (!isSafe(folder, this.#uid)) return []
      return readdirSync(folder).flatMap((name) => {
        const [, where, pid, start] = nameOf.exec(name) ?? []
        // Written in another container, or before the machine was started anew: numbers mean something else there.
        if (name === this.#self || where !== this.#world || pid === undefined || start === undefined)
          return []
        const file = join(folder, name)
        const lines = readOwn(file, this.#uid)
        if (lines === undefined) return []
        const owned = lines.flatMap((line) => recordedOf(line) ?? [])
        return [{ file, host: { pid: Number(pid), start }, owned }]
      })
    } catch {
      return []
    }
  }
}
interface Left {
  readonly file: string
  readonly host: { readonly pid: number; readonly start: string }
  readonly owned: ReadonlyArray<Recorded>
}

const folderOf = (uid: number): string => {
  const given = process.env["XDG_RUNTIME_DIR"]
  return join(given !== undefined && isAbsolute(given) ? given : tmpdir(), `sojourn-${uid}`)
}
/** A real folder, of this user, and closed to all others. */
const isSafe = (folder: string, uid: number): boolean => {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === uid && (stat.mode & 0o777) === 0o700
}

const longestFile = 2 ** 20
/** Its whole lines. Looked at again file by file: the folder could have been exchanged in between. */
const readOwn = (file: string, uid: number): ReadonlyArray<string> | undefined => {
  let opened: number | undefined
  try {
    opened = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stat = fstatSync(opened)
    const safe = stat.isFile() && stat.uid === uid && (stat.mode & 0o022) === 0
    return safe && stat.size <= longestFile
      ? readFileSync(opened, "utf8").split("\n").slice(0, -1)
      : undefined
  } catch {
    return undefined
  } finally {
    if (opened !== undefined) closeSync(opened)
  }
}
