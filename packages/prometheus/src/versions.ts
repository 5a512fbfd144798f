/** Of core, Node and Effect, for `build_info`. A bundle has no package.json to ask. */
import { createRequire } from "node:module"

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

export const versions: ReadonlyArray<string> = [
  versionOf("@sojourn/core"),
  process.versions.node,
  versionOf("effect"),
]
