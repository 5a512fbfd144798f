/** Fails where the first load has become too large. */
import { join } from "node:path"
import { firstLoad, mostGzipBytes } from "./firstLoad.ts"

/** Seen first; it is loaded apart from the rest, and has to be there all the same. */
const firstPage = "src/pages/Config.tsx"

const { files, gzipBytes } = firstLoad(join(import.meta.dirname, "../dist/web"), [firstPage])
for (const [file, bytes] of Object.entries(files)) console.log(`${String(bytes).padStart(8)}  ${file}`)
console.log(`${String(gzipBytes).padStart(8)}  first load, of ${mostGzipBytes} bytes after gzip`)
if (gzipBytes > mostGzipBytes) {
  console.error("The first load is too large: load what is heavy with `lazy`.")
  process.exitCode = 1
}
