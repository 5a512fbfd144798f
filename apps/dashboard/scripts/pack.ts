/**
 * After `vite build`: what a server needs to serve the page. `dist/files.js` holds every file, compressed, so that nothing has
 * to be found at run time and the page goes along into whatever bundle the server is made into; `dist/files.json` says the
 * same without the contents.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { filesOf, type PackedFile } from "./files.ts"

const dist = join(import.meta.dirname, "../dist")
const files = filesOf(join(dist, "web"))

const facts = files.map(({ brotli, gzip, ...rest }) => ({
  ...rest,
  brotliBytes: brotli.length,
  gzipBytes: gzip.length,
}))
writeFileSync(join(dist, "files.json"), `${JSON.stringify(facts, undefined, 2)}\n`)

const line = ({ path, type, etag, immutable, bytes, brotli }: PackedFile) =>
  `  ${JSON.stringify({ path, type, etag, immutable, bytes, brotli: brotli.toString("base64") })},`
writeFileSync(join(dist, "files.js"), ["export const files = [", ...files.map(line), "]", ""].join("\n"))
writeFileSync(join(dist, "files.d.ts"), readFileSync(join(import.meta.dirname, "files.d.txt")))
