/** Reading and replacing the state in the folder of one key; `keyFolder.ts` says what is in it. */
import { randomBytes } from "node:crypto"
import { readFile, rename, unlink } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Stored } from "../../store/SessionStore.ts"
import { codeOf, namesIn, quietly, syncFolder, syncIfThere, writeNew } from "./durable.ts"
import { headFile, type Listing, readListing, stateFile } from "./keyFolder.ts"
import { decodeState } from "./stateFile.ts"

/** So often a folder is looked at whose list makes no sense, a millisecond apart. */
const mostLooks = 25
/** So often a state is looked for that others replace while it is being read. */
const mostReads = 100

/** Never the same twice: a version that is gone stays gone. */
export const newVersion = (): string => randomBytes(16).toString("hex")

/** `files`: all that was in the folder before the answer was known. */
export interface Look extends Listing {
  readonly files: ReadonlyArray<string>
}

export const look = async (folder: string): Promise<Look> => {
  for (let looks = 1; ; looks++) {
    const files = (await namesIn(folder)) ?? []
    const listing = readListing(files)
    if (listing.kind !== "damaged" || looks === mostLooks) return { ...listing, files }
    await sleep(1)
  }
}

export const load = async (key: string, folder: string): Promise<Stored | undefined> => {
  for (let reads = 1; ; reads++) {
    const { kind, version } = await look(folder)
    if (version === undefined) return undefined
    if (kind === "damaged") return { state: undefined, version, unreadable: "Corrupt" }
    try {
      return { ...decodeState(key, await readFile(join(folder, stateFile(version)))), version }
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || reads === mostReads) throw error
    }
  }
}

/** The new version; undefined: another one, or nothing, has taken the place of what was seen. */
export const replace = async (
  folder: string,
  from: string,
  files: ReadonlyArray<string>,
  bytes: Uint8Array,
): Promise<string | undefined> => {
  const version = newVersion()
  const path = join(folder, stateFile(version))
  try {
    await writeNew(path, bytes)
    await syncFolder(folder)
  } catch (error) {
    await quietly(unlink(path))
    // The key was removed.
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  }
  if (!(await takeOver(folder, from, headFile(version)))) {
    await quietly(unlink(path))
    return undefined
  }
  await syncIfThere(folder)
  // Whatever was here before the rename can no longer become the stored version: its rename would need the same file.
  for (const file of files) await quietly(unlink(join(folder, file)))
  return version
}

/** The one step that decides. False: somebody else was first. */
export const takeOver = async (folder: string, from: string, to: string): Promise<boolean> => {
  try {
    await rename(join(folder, from), join(folder, to))
    return true
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false
    throw error
  }
}
