/** The files of a built page, as they are served. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { extname, join } from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"

export interface PackedFile {
  readonly path: string
  readonly type: string
  readonly etag: string
  readonly immutable: boolean
  readonly bytes: number
  readonly brotli: Buffer
  readonly gzip: Buffer
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".md": "text/markdown; charset=utf-8",
}

/** What the build tells of itself is not served. */
const kept = new Set(["manifest.json"])

export const filesOf = (folder: string): ReadonlyArray<PackedFile> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !kept.has(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()
    .map((path) => {
      const content = readFileSync(join(folder, path))
      const type = types[extname(path)]
      if (type === undefined) throw new Error(`No content-type is known for ${path}.`)
      return {
        path: path.replaceAll("\\", "/"),
        type,
        etag: `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`,
        immutable: path.startsWith("assets"),
        bytes: content.length,
        brotli: brotliCompressSync(content, {
          params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
        }),
        gzip: gzipSync(content, { level: 9 }),
      }
    })
