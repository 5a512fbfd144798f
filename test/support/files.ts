import { type Dirent, existsSync, readdirSync } from "node:fs"
import { join, relative, sep } from "node:path"

export const root = join(import.meta.dirname, "../..")

/** A file of the repository: its path from the root, with `/` on every system, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const ignored = new Set(["node_modules", "dist", "coverage"])
const isIgnored = (entry: Dirent): boolean => ignored.has(entry.name) || entry.name.startsWith(".")

/** Paths of all files below `folder`, sorted; hidden folders, build output and installed packages left out. */
export const filesBelow = (folder: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (isIgnored(entry)) continue
      if (entry.isDirectory()) visit(join(at, entry.name))
      else found.push(relative(root, join(at, entry.name)).split(sep).join("/"))
    }
  }
  if (existsSync(join(root, folder))) visit(join(root, folder))
  return found.toSorted()
}

/** Names of the folders directly in `folder`. */
export const foldersIn = (folder: string): ReadonlyArray<string> =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !isIgnored(entry))
        .map((entry) => entry.name)
    : []
