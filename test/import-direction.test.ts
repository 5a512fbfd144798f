/**
 * Imports follow the path a request takes, one way. Edit the table when a folder comes or goes; `import type` is exempt,
 * because nothing of it is left at run time.
 */
import { readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { describe, expect, it } from "vitest"
import { filesBelow, foldersIn, root, type SourceFile } from "./support/files.ts"
import { importsOf } from "./support/source.ts"

/** Inside packages/core/src: which folder may import which. `shared` is every other module directly in src. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  index: ["face", "registry", "session", "task", "observe", "time", "store", "shared"], // src/index.ts
  node: [
    "node",
    "index",
    "face",
    "registry",
    "session",
    "task",
    "observe",
    "time",
    "store",
    "setup",
    "shared",
  ], // src/node.ts, src/node/**
  host: ["host", "face", "registry", "setup", "shared"], // src/host.ts, and what only hosts need
  inspect: ["registry", "observe", "shared"], // src/inspect.ts
  warnings: ["warnings", "registry", "observe", "time", "shared"], // src/warnings.ts, src/warnings/**
  testing: ["testing", "index", "face", "registry", "session", "task", "observe", "time", "store", "shared"], // src/testing.ts, src/testing/**
  face: ["face", "registry", "session", "task", "observe", "time", "store", "shared"],
  registry: ["registry", "session", "task", "observe", "time", "store", "setup", "shared"],
  session: ["session", "task", "observe", "time", "store", "setup", "shared"],
  task: ["task", "observe", "time", "shared"],
  observe: ["observe", "time", "shared"],
  time: ["time", "shared"],
  store: ["store", "shared"],
  setup: ["setup", "shared"],
  shared: ["shared", "time"],
}

/** What core may import from outside, by row of the table above; every row may import `effect/<module>`. */
const outside: Readonly<Record<string, RegExp>> = { node: /^node:/, host: /^node:/, testing: /^node:/ }

/** Modules directly in src that are a row of their own, or part of one. */
const rows: Readonly<Record<string, string>> = {
  index: "index",
  node: "node",
  testing: "testing",
  host: "host",
  inspect: "inspect",
  warnings: "warnings",
  keyHash: "host",
}

/** Who meets core only through these entries, and never through a path into it. */
const coreEntries = new Set([
  "@sojourn/core",
  "@sojourn/core/host",
  "@sojourn/core/inspect",
  "@sojourn/core/node",
  "@sojourn/core/testing",
  "@sojourn/core/warnings",
])
const users = [
  ...foldersIn("packages")
    .filter((name) => name !== "core")
    .map((name) => `packages/${name}`),
  ...foldersIn("examples").map((name) => `examples/${name}`),
]

/** Who stands beside the hosts, and not on them: what else they may import than their own and core's entries. */
const beside: Readonly<Record<string, RegExp>> = {
  "packages/inspector": /^(?:effect\/.|node:)/,
}

const core = "packages/core/src"

const rowOf = (path: string): string => {
  const [first = "", ...rest] = posix.relative(core, path).split("/")
  if (rest.length > 0) return first
  const name = first.replace(/\.ts$/, "")
  return rows[name] ?? "shared"
}

const inCore = ({ path, text }: SourceFile): ReadonlyArray<string> => {
  const row = rowOf(path)
  const targets = allowed[row]
  if (targets === undefined)
    return [`${path}: the folder "${row}" is not in the table of ${import.meta.filename}`]
  const problems: Array<string> = []
  for (const { specifier, typeOnly } of importsOf(text)) {
    if (typeOnly) continue
    if (!specifier.startsWith(".")) {
      if (/^effect\/./.test(specifier) || outside[row]?.test(specifier) === true) continue
      problems.push(
        specifier === "effect"
          ? `${path}: imports "effect", which loads all of it; name the module: "effect/Effect"`
          : `${path}: ${row} may not import "${specifier}"`,
      )
      continue
    }
    const target = posix.join(posix.dirname(path), specifier)
    if (!target.startsWith(`${core}/`)) problems.push(`${path}: "${specifier}" leaves ${core}`)
    else if (!targets.includes(rowOf(target)))
      problems.push(`${path}: ${row} may not import ${rowOf(target)} ("${specifier}")`)
  }
  return problems
}

const inUser = (user: string, { path, text }: SourceFile): ReadonlyArray<string> =>
  importsOf(text).flatMap(({ specifier }) => {
    if (specifier.startsWith("."))
      return posix.join(posix.dirname(path), specifier).startsWith(`${user}/`)
        ? []
        : [`${path}: "${specifier}" leaves ${user}`]
    return specifier.startsWith("@sojourn/core") && !coreEntries.has(specifier)
      ? [`${path}: "${specifier}" is no public entry of core`]
      : []
  })

const sources = (folder: string): ReadonlyArray<SourceFile> =>
  filesBelow(folder)
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))

describe("imports go one way", () => {
  it("inside core: face, registry, session, task, observe, time; store beside them", () => {
    const files = sources(core)
    expect(files.length).toBeGreaterThan(0)
    expect(files.flatMap(inCore)).toEqual([])
  })

  it.each(users)("%s meets core through its public entries", (user) => {
    expect(sources(`${user}/src`).flatMap((file) => inUser(user, file))).toEqual([])
  })
})

describe.each(Object.entries(beside))("%s stands beside the hosts", (user, allowedOutside) => {
  const outsideOf = (text: string): ReadonlyArray<string> =>
    importsOf(text)
      .filter(({ specifier, typeOnly }) => !typeOnly && !specifier.startsWith("."))
      .map(({ specifier }) => specifier)
      .filter((specifier) => !coreEntries.has(specifier) && !allowedOutside.test(specifier))

  it("and imports none of them", () => {
    expect(sources(`${user}/src`).flatMap(({ text }) => outsideOf(text))).toEqual([])
    expect(outsideOf('import { sse } from "@sojourn/http"\nimport { Effect } from "effect"')).toHaveLength(2)
  })
})

describe("the gate finds what it looks for", () => {
  const seen = (path: string, text: string): number => inCore({ path: `${core}/${path}`, text }).length

  it.each([
    ["task/Task.ts", 'import { open } from "../registry/Registry.ts"'],
    ["task/Task.ts", 'import {\n  type Task,\n  open\n} from "../session/Session.ts"'],
    ["task/Task.ts", 'export * from "../face/Face.ts"'],
    ["task/Task.ts", 'const late = await import("../face/Face.ts")'],
    ["errors.ts", 'import { open } from "./session/Session.ts"'],
    ["face/Face.ts", 'import "../node.ts"'],
    ["session/Session.ts", 'import { readFile } from "node:fs"'],
    ["session/Session.ts", 'import { Effect } from "effect"'],
    ["face/Face.ts", 'import { VirtualClock } from "../testing/VirtualClock.ts"'],
    ["node/Worker.ts", 'import { testSessions } from "../testing.ts"'],
    ["setup/findings.ts", 'import { liveRegistries } from "../registry/process.ts"'],
    ["setup/findings.ts", 'import { existsSync } from "node:fs"'],
    ["registry/Registry.ts", 'import { keyHash } from "../keyHash.ts"'],
    ["session/Session.ts", 'import { x } from "../../../adapter-express/src/index.ts"'],
    ["inspect.ts", 'export { createSessions } from "./face/createSessions.ts"'],
    ["observe/inspect.ts", 'import { liveRegistries } from "../inspect.ts"'],
    ["registry/Registry.ts", 'import { watchWarnings } from "../warnings.ts"'],
    ["warnings/Watch.ts", 'import { monitorEventLoopDelay } from "node:perf_hooks"'],
    ["elsewhere/Thing.ts", ""],
  ])("%s with %j", (path, text) => {
    expect(seen(path, text)).toBe(1)
  })

  it.each([
    [
      "task/Task.ts",
      'import type { Session } from "../session/Session.ts"\nexport type { Face } from "../face/Face.ts"',
    ],
    ["task/Task.ts", '// import { open } from "../registry/Registry.ts"\nconst url = "http://example.org"'],
    [
      "node/Worker.ts",
      'import { Worker } from "node:worker_threads"\nimport * as Effect from "effect/Effect"',
    ],
    [
      "face/Face.ts",
      'import { open } from "../registry/Registry.ts"\nimport { now } from "../time/Clock.ts"',
    ],
    ["keyHash.ts", 'import { createHash } from "node:crypto"\nimport { invalidKey } from "./errors.ts"'],
    ["host.ts", 'export { keyHash } from "./keyHash.ts"\nexport { register } from "./registry/process.ts"'],
  ])("and nothing in %s with %j", (path, text) => {
    expect(seen(path, text)).toBe(0)
  })

  it("a path into core from an adapter", () => {
    const problems = (text: string) =>
      inUser("packages/adapter-express", { path: "packages/adapter-express/src/index.ts", text })
    expect(problems('import { x } from "../../core/src/registry/Registry.ts"')).toHaveLength(1)
    expect(problems('import { x } from "@sojourn/core/dist/index.js"')).toHaveLength(1)
    expect(problems('import { x } from "@sojourn/core"\nimport { y } from "./session.ts"')).toEqual([])
  })
})
