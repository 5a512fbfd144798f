/**
 * Does the application use the same `effect` as this package? Only in Node, once, and never in the way. What is compared
 * is what each would load: an application that does not name `effect` among its dependencies uses none of its own, and
 * a program inside node_modules (a test runner, a framework's command) is not the application.
 */
import { foundInSetup, isSetupCheckOn } from "./findings.ts"

let looked = false

/** For who serves an application: an adapter, `drainOnSignals`. */
export const checkOneEffect = (): void => {
  if (looked || !isSetupCheckOn("SOJOURN_TWO_COPIES")) return
  looked = true
  if (typeof process !== "object" || typeof process.getBuiltinModule !== "function") return
  try {
    const evidence = otherEffect(process.argv[1] ?? "")
    if (evidence !== undefined) foundInSetup("SOJOURN_TWO_COPIES", evidence)
  } catch {
    // Not to be resolved or not to be read: there is nothing to compare.
  }
}

/** `main`: the program that was started. */
const otherEffect = (main: string): string | undefined => {
  const fs = process.getBuiltinModule("node:fs")
  const path = process.getBuiltinModule("node:path")
  const entry = fs.realpathSync(main)
  if (entry.split(path.sep).includes("node_modules")) return undefined
  const home = fs.statSync(entry).isDirectory() ? entry : path.dirname(entry)
  if (!usesEffect(home)) return undefined
  const [theirs, ours] = [effectOf(path.join(home, "main.js")), effectOf(import.meta.url)]
  return theirs === ours
    ? undefined
    : `For the application effect is ${described(theirs)}, for @sojourn/core it is ${described(ours)}.`
}

/** Where a module loads `effect` from. */
const effectOf = (from: string): string => {
  const { createRequire } = process.getBuiltinModule("node:module")
  return process.getBuiltinModule("node:path").dirname(createRequire(from).resolve("effect/package.json"))
}

/** Looks upwards to the package that a folder is part of: the first that has a name. */
const usesEffect = (folder: string): boolean => {
  const found = manifestIn(folder)
  const named = [
    found?.dependencies,
    found?.devDependencies,
    found?.peerDependencies,
    found?.optionalDependencies,
  ]
  if (named.some((ones) => ones !== undefined && "effect" in ones)) return true
  const above = process.getBuiltinModule("node:path").dirname(folder)
  return found?.name === undefined && above !== folder && usesEffect(above)
}

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly dependencies?: object
  readonly devDependencies?: object
  readonly peerDependencies?: object
  readonly optionalDependencies?: object
}
const manifestIn = (folder: string): Manifest | undefined => {
  try {
    const file = process.getBuiltinModule("node:path").join(folder, "package.json")
    return JSON.parse(process.getBuiltinModule("node:fs").readFileSync(file, "utf8")) as Manifest
  } catch {
    return undefined
  }
}
const described = (folder: string): string => `${manifestIn(folder)?.version ?? "somewhere"} in ${folder}`
