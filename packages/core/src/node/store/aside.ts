/** Records that could not be used, kept for people to look at. No program reads them. */
import { constants } from "node:fs"
import { copyFile, rename, rm, unlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { makeFolder, namesIn, quietly, syncIfThere, unlessMissing } from "./durable.ts"
import { noneFile, stateFile } from "./keyFolder.ts"
import { look, newVersion, takeOver } from "./keyFolderFiles.ts"

/** Of more, the oldest go. */
const most = 100

/** Nothing happens when another version is stored by now. */
export const setAside = async (folder: string, aside: string, version: string): Promise<void> => {
  const seen = await look(folder)
  if (seen.version !== version) return
  if (seen.from === undefined) return moveAside(folder, aside)
  const state = join(folder, stateFile(version))
  const copy = join(aside, `${nameOfNow(folder)}.state`)
  await makeFolder(aside)
  // First: a process that dies between the two leaves one copy too many, not one too few.
  await unlessMissing(copyFile(state, copy, constants.COPYFILE_EXCL))
  if (!(await takeOver(folder, seen.from, noneFile(newVersion())))) return quietly(unlink(copy))
  await syncIfThere(folder)
  await quietly(unlink(state))
  await trim(aside)
}

/** A folder of which nobody can say what is stored in it. Whole: nothing in it can be taken over by one rename. */
export const moveAside = async (folder: string, aside: string): Promise<void> => {
  await makeFolder(aside)
  await unlessMissing(rename(folder, join(aside, nameOfNow(folder))))
  await trim(aside)
}

/** In the order of time; the end is the version that has never been before. */
const nameOfNow = (folder: string): string =>
  `${String(Date.now()).padStart(15, "0")}-${basename(folder)}-${newVersion()}`

const trim = async (aside: string): Promise<void> => {
  const names = (await namesIn(aside)) ?? []
  for (const name of names.toSorted().slice(0, -most))
    await quietly(rm(join(aside, name), { recursive: true, force: true }))
}
