/** What a browser fetches before the first page of the dashboard is there: the document and what it needs, directly or not. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

interface Chunk {
  readonly file: string
  readonly isEntry?: boolean
  readonly imports?: ReadonlyArray<string>
  readonly dynamicImports?: ReadonlyArray<string>
  readonly css?: ReadonlyArray<string>
}

export interface FirstLoad {
  readonly files: Readonly<Record<string, number>>
  readonly gzipBytes: number
}

/** `pages`: sources of what is loaded later and counts all the same, such as the page that is seen first. */
export const firstLoad = (folder: string, pages: ReadonlyArray<string>): FirstLoad => {
  const chunks = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Readonly<
    Record<string, Chunk>
  >
  const wanted = new Set<string>(["index.html"])
  const seen = new Set<string>()
  const add = (name: string) => {
    const chunk = chunks[name]
    if (chunk === undefined) throw new Error(`There is no ${name} in the manifest.`)
    if (seen.has(name)) return
    seen.add(name)
    for (const file of [chunk.file, ...(chunk.css ?? [])]) wanted.add(file)
    for (const needed of chunk.imports ?? []) add(needed)
  }
  for (const [name, { isEntry }] of Object.entries(chunks)) if (isEntry === true) add(name)
  for (const page of pages) add(page)
  const files = Object.fromEntries(
    [...wanted].map((file) => [file, gzipSync(readFileSync(join(folder, file)), { level: 9 }).length]),
  )
  return { files, gzipBytes: Object.values(files).reduce((sum, bytes) => sum + bytes, 0) }
}

/** The most that it may be. */
export const mostGzipBytes = 180_000
