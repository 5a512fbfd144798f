/**
 * The warnings in the code and their pages in docs/warnings say the same: a page for each, with its sentence, its advice,
 * its thresholds with their defaults and its evidence, a row of the table for each, and nothing else.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { warningDefinitions, type WarningDefinition } from "../packages/core/src/warnings/catalogue.ts"
import { filesBelow, root } from "./support/files.ts"

const folder = "docs/warnings"
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** A default as people read it. */
const shown = (value: number, unit: "ms" | "count" | "ratio"): string => {
  if (unit !== "ms") return String(value)
  return value >= 120_000 ? `${value / 60_000} min` : `${value / 1000} s`
}
const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim()

/** The rows of the table with this heading, cells trimmed. */
const tableOf = (page: string, heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const lines = page.split("\n")
  const begin = lines.findIndex((line) => line.startsWith(`| ${heading} `))
  if (begin === -1) return []
  const end = lines.findIndex((line, index) => index > begin && !line.startsWith("|"))
  return lines.slice(begin + 2, end === -1 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
}

const severities = { notice: "A notice", warning: "A warning", error: "An error" } as const
const scopes = {
  task: "a task",
  session: "a session",
  key: "a key",
  kind: "a kind",
  process: "the process",
} as const

/** What a page lacks, or says otherwise. */
const lacks = (definition: WarningDefinition, page: string): ReadonlyArray<string> => {
  const { advice, evidence, id, name, scope, severity, thresholds } = definition
  const text = oneLine(page)
  const same = (rows: unknown, wanted: unknown): boolean => JSON.stringify(rows) === JSON.stringify(wanted)
  const parts = {
    "its name as the heading": page.startsWith(`# ${name}\n`),
    "its severity, scope and id": page.includes(`\n${severities[severity]} of ${scopes[scope]}, ${id}.\n`),
    "what it means": text.includes(`**What it means.** ${definition.definition} **`),
    "likely causes": /\*\*Likely causes\.\*\* \S/.test(text),
    "how to see it": /\*\*How to see it\.\*\* \S/.test(text),
    "what to do": text.includes(`**What to do.** ${advice} `),
    "its thresholds": same(
      tableOf(page, "Threshold"),
      Object.entries(thresholds).map(([threshold, { default: value, meaning, unit }]) => [
        `\`${threshold}\``,
        shown(value, unit),
        meaning,
      ]),
    ),
    "its evidence": same(
      tableOf(page, "Evidence"),
      Object.entries(evidence).map(([what, meaning]) => [`\`${what}\``, meaning]),
    ),
    "how to set it": setsIn(page).some(([warning, threshold]) => warning === name && threshold in thresholds),
    "how to mute it": page
      .trimEnd()
      .endsWith(`**To mute it:** \`warnings.mute("${name}", { for: "1 hour" })\`.`),
  }
  return Object.entries(parts).flatMap(([part, there]) => (there ? [] : [part]))
}
/** Warnings and thresholds that the example sets. */
const setsIn = (page: string): ReadonlyArray<readonly [warning: string, threshold: string]> =>
  [
    ...page.matchAll(
      /\*\*To set it:\*\* `watchWarnings\(\{ thresholds: \{ "?([\w-]+)"?: \{ (\w+): [^}]+ \} \} \}\)`/g,
    ),
  ].map(([, warning = "", threshold = ""]) => [warning, threshold])

describe("warnings in the code and in docs/warnings", () => {
  it.each(warningDefinitions.map((definition) => [definition.name, definition] as const))(
    "%s has a page that says the same",
    (name, definition) => {
      expect(definition.docs).toBe(`${folder}/${name}.md`)
      expect(existsSync(join(root, definition.docs)), `${definition.docs} is missing`).toBe(true)
      expect(lacks(definition, read(definition.docs))).toEqual([])
    },
  )

  it("no page without a warning", () => {
    const pages = filesBelow(folder).map((path) => path.slice(folder.length + 1))
    const wanted = warningDefinitions.map(({ name }) => `${name}.md`)
    expect(pages.toSorted()).toEqual(["README.md", ...wanted].toSorted())
  })

  it("the table lists each once, in the order of the catalogue", () => {
    expect(tableOf(read(`${folder}/README.md`), "Id")).toEqual(
      warningDefinitions.map(({ id, name, scope, severity }) => [
        id,
        `[\`${name}\`](${name}.md)`,
        scope,
        severity,
      ]),
    )
  })

  it("names and ids are told apart, and ids are in order", () => {
    const ids = warningDefinitions.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].toSorted())
    expect(
      warningDefinitions.map(({ name }) => name).filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name)),
    ).toEqual([])
    for (const { evidence, thresholds } of warningDefinitions) {
      expect(thresholds["for"]?.unit).toBe("ms")
      expect(Object.keys(evidence).length).toBeGreaterThan(0)
    }
  })

  it("each is raised somewhere in the sources, and by a test", () => {
    const below = (where: string, but: RegExp): string =>
      filesBelow(where)
        .filter((path) => path.endsWith(".ts") && !but.test(path))
        .map(read)
        .join("\n")
    const sources = below("packages/core/src/warnings", /catalogue\.ts$/)
    const tests = below("packages/core/test/warnings", /^$/)
    for (const { name } of warningDefinitions) {
      expect(sources, `${name} is raised nowhere`).toMatch(new RegExp(`\\btake(?:Of)?\\([^;]*?"${name}"`))
      expect(tests, `no test raises ${name}`).toMatch(
        new RegExp(`raised[^;]*"${name}|one\\("${name}"|"${name}", true`),
      )
    }
  })
})

it("the gate finds what it looks for", () => {
  const [definition] = warningDefinitions
  if (definition === undefined) throw new Error("there are no warnings")
  const page = read(definition.docs)
  const after = (from: RegExp, to: string): ReadonlyArray<string> => {
    expect(page).toMatch(from)
    return lacks(definition, page.replace(from, to))
  }
  expect(lacks(definition, "")).toHaveLength(10)
  expect(after(/^# /, "# x")).toEqual(["its name as the heading"])
  expect(after(/A warning of/, "An error of")).toEqual(["its severity, scope and id"])
  expect(after(/rose from/, "fell from")).toEqual(["what it means"])
  expect(after(/\*\*Likely causes\.\*\*/, "**Causes.**")).toEqual(["likely causes"])
  expect(after(/60 s/, "61 s")).toEqual(["its thresholds"])
  expect(after(/\| `floor` +\| 10 .*\n/, "")).toEqual(["its thresholds"])
  expect(after(/\| `before` .*\n/, "")).toEqual(["its evidence"])
  expect(after(/\{ window:/, "{ windows:")).toEqual(["how to set it"])
  expect(after(/1 hour/, "2 hours")).toEqual(["how to mute it"])
})
