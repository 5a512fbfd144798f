/** Which copies of this package the process has loaded. */
import { processWide } from "../processWide.ts"
import { foundInSetup } from "./findings.ts"

const folders = processWide("copies", () => new Set<string>())

const installed = /^.*\/node_modules\/@sojourn\/core\//

/**
 * Called with `import.meta.url` as the package loads. Only a copy that was installed counts: sources and a build side by
 * side are how this package is tested, one bundle has one address, and the same folder loaded again is a module that
 * was reloaded.
 */
export const noteCopy = (url: string | undefined): void => {
  const [folder] = installed.exec(url ?? "") ?? []
  if (folder === undefined) return
  folders.add(folder)
  if (folders.size > 1)
    foundInSetup(
      "SOJOURN_TWO_COPIES",
      `@sojourn/core is loaded from ${[...folders].map(pathOf).join(" and ")}.`,
    )
}

const pathOf = (folder: string): string => {
  try {
    return decodeURIComponent(new URL(folder).pathname)
  } catch {
    return folder
  }
}
