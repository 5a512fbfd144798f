/** Of what takes part, for a recording's header. A bundle has no package.json to ask. */
import { createRequire } from "node:module"
import type { RecordingHeader } from "./format.ts"

const load = createRequire(import.meta.url)

const versionOf = (name: string): string => {
  try {
    const found: unknown = load(`${name}/package.json`)
    if (typeof found === "object" && found !== null && "version" in found) return String(found.version)
  } catch {
    // Said below.
  }
  return "unknown"
}

export const versions: RecordingHeader["versions"] = {
  node: process.versions.node,
  effect: versionOf("effect"),
  core: versionOf("@sojourn/core"),
  inspector: versionOf("@sojourn/inspector"),
}
