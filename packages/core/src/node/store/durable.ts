/** Files that are on the disk when the promise resolves, and not only in the memory of the machine. */
import { mkdir, open, readdir } from "node:fs/promises"
import { dirname } from "node:path"

/** Only the user the process runs as may look inside. */
export const privateFolder = 0o700
export const privateFile = 0o600

/** `ENOENT` and the like. */
export const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined

/** For what must not fail the whole: what is left over is found again by the next one who tidies up. */
export const quietly = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch {}
}

/** A new file with these bytes. Fails with `EEXIST` if there is one. */
export const writeNew = async (path: string, bytes: Uint8Array): Promise<void> => {
  await using file = await open(path, "wx", privateFile)
  await file.writeFile(bytes)
  await file.sync()
}

/** The names in a folder: what was made, renamed and removed there. */
export const syncFolder = async (path: string): Promise<void> => {
  // Windows opens no folder, and needs no flush to keep a rename.
  if (process.platform === "win32") return
  await using folder = await open(path, "r")
  await folder.sync()
}

/** After a change that has been made: if somebody has removed the folder since, there is nothing to force any more. */
export const syncIfThere = (path: string): Promise<void> => unlessMissing(syncFolder(path))

/** What is not there need not be there. */
export const unlessMissing = async (work: Promise<void>): Promise<void> => {
  try {
    await work
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error
  }
}

/** With all folders above it that are missing. */
export const makeFolder = async (path: string): Promise<void> => {
  const first = await mkdir(path, { recursive: true, mode: privateFolder })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** The names in a folder; undefined: there is no such folder. */
export const namesIn = async (path: string): Promise<ReadonlyArray<string> | undefined> => {
  try {
    return await readdir(path)
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  }
}
