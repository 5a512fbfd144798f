/** Folders of keys appear and disappear as a whole, by one rename out of `tmp` or into it. */
import { mkdir, rename, rm, stat, unlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import {
  codeOf,
  makeFolder,
  namesIn,
  privateFile,
  privateFolder,
  quietly,
  syncFolder,
  unlessMissing,
  writeNew,
} from "./durable.ts"
import { headFile, isHead, stateFile } from "./keyFolder.ts"
import { newVersion } from "./keyFolderFiles.ts"

/** Milliseconds: a folder that has been made for longer belongs to a dead process. */
const longest = 600_000
/** So often a folder is made again that was taken for one of a dead process. */
const mostTries = 3

/** The first version of a key; undefined: somebody else was first. */
export const begin = async (folder: string, tmp: string, bytes: Uint8Array): Promise<string | undefined> => {
  for (let tries = 1; ; tries++) {
    const version = newVersion()
    const fresh = join(tmp, `${version}.new`)
    await makeFolder(tmp)
    try {
      await mkdir(fresh, { mode: privateFolder })
      await writeNew(join(fresh, stateFile(version)), bytes)
      // Nothing is in it: its name is all there is to force.
      await writeFile(join(fresh, headFile(version)), "", { flag: "wx", mode: privateFile })
      await syncFolder(fresh)
      await rename(fresh, folder)
    } catch (error) {
      await quietly(rm(fresh, { recursive: true, force: true }))
      const code = codeOf(error)
      // A folder is there, and is not empty.
      if (code === "ENOTEMPTY" || code === "EEXIST") return undefined
      if (code === "ENOENT" && tries < mostTries) continue
      throw error
    }
    await syncFolder(dirname(folder))
    return version
  }
}

export const remove = async (folder: string, tmp: string): Promise<void> => {
  if ((await namesIn(folder)) === undefined) return
  await makeFolder(tmp)
  const gone = join(tmp, `${newVersion()}.gone`)
  try {
    await rename(folder, gone)
  } catch (error) {
    // Somebody else removes it.
    if (codeOf(error) === "ENOENT") return
    throw error
  }
  await syncFolder(dirname(folder))
  await purge(gone)
}

/** What dead processes left. */
export const sweep = async (tmp: string): Promise<void> => {
  for (const name of (await namesIn(tmp)) ?? []) await quietly(sweepOne(tmp, name))
}

const sweepOne = async (tmp: string, name: string): Promise<void> => {
  let folder = join(tmp, name)
  if (name.endsWith(".new")) {
    const { mtimeMs } = await stat(folder)
    if (Date.now() - mtimeMs < longest) return
    // If its process lives after all, its rename finds nothing, instead of half a folder.
    folder = join(tmp, `${newVersion()}.gone`)
    await rename(join(tmp, name), folder)
  }
  await purge(folder)
}

/** A save may be about to rename the head in here: that must happen before the end of `remove`, or never. */
const purge = async (folder: string): Promise<void> => {
  for (;;) {
    const heads = ((await namesIn(folder)) ?? []).filter(isHead)
    if (heads.length === 0) break
    for (const head of heads) await unlessMissing(unlink(join(folder, head)))
  }
  await rm(folder, { recursive: true, force: true })
}
