/**
 * The setup checks in the code and their pages in docs/setup say the same: a page for each code, a row of the table for
 * each page, a place in the sources that looks for each, and none for anything else.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { setupChecks } from "../packages/core/src/setup/checks.ts"
import { platformGrace } from "../packages/core/src/setup/platformGrace.ts"
import { filesBelow, root } from "./support/files.ts"
import { snippetsOf } from "./support/snippets.ts"

const folder = "docs/setup"
const codes = Object.keys(setupChecks)
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** What a page about a code lacks. */
const lacks = (code: string, page: string): ReadonlyArray<string> => {
  const parts = {
    "its code as the heading": page.startsWith(`# ${code}\n`),
    "what was seen": /^\*\*What was seen\.\*\* \S/m.test(page),
    "why it matters": /^\*\*Why it matters[^*]*\.\*\* \S/m.test(page),
    "an example that is checked": snippetsOf({ path: code, text: page }).some(
      ({ use }) => use !== "fragment",
    ),
    "how to silence it": page.trimEnd().endsWith(`**To silence it:** \`SOJOURN_SETUP_CHECKS=${code}\`.`),
  }
  return Object.entries(parts).flatMap(([part, there]) => (there ? [] : [part]))
}

/** Codes in the first column of a table, each a link to its page. */
const rowsIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^\| \[`(\w+)`\]\(\1\.md\) +\|/gm)].map(([, code]) => code ?? "")

const lookedForIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\bfoundInSetup\(\s*"(\w+)"/g)].map(([, code]) => code ?? "")

describe("setup checks in the code and in docs/setup", () => {
  it.each(codes)("%s has a page", (code) => {
    const path = `${folder}/${code}.md`
    expect(existsSync(join(root, path)), `${path} is missing`).toBe(true)
    expect(lacks(code, read(path))).toEqual([])
  })

  it("no page without a check", () => {
    const pages = filesBelow(folder).map((path) => path.slice(folder.length + 1))
    expect(pages.toSorted()).toEqual(["README.md", ...codes.map((code) => `${code}.md`)].toSorted())
  })

  it("the table lists each once", () => {
    expect(rowsIn(read(`${folder}/README.md`)).toSorted()).toEqual(codes.toSorted())
  })

  it("each is looked for somewhere", () => {
    const sources = filesBelow("packages").filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path))
    const lookedFor = new Set(sources.flatMap((path) => lookedForIn(read(path))))
    expect([...lookedFor].toSorted()).toEqual(codes.toSorted())
  })
})

/** Of the table of platforms: the name, the variables, the milliseconds. */
const platformsIn = (text: string): ReadonlyArray<readonly [string, ReadonlyArray<string>, number]> =>
  [...text.matchAll(/^\| ([\w. ]+?) +\| ([^|]+?) +\| ([\d.]+) s +\| \[/gm)].map(
    ([, platform = "", by = "", seconds = ""]) => [
      platform,
      by.startsWith("the file") ? [] : [...by.matchAll(/`([^`]+)`/g)].map(([, variable = ""]) => variable),
      Number(seconds) * 1000,
    ],
  )

const recognised = (variable: string | undefined): unknown => {
  const [name = "", value = "x"] = variable?.split("=") ?? []
  const grace = platformGrace({
    env: variable === undefined ? {} : { [name]: value },
    askedByDocker: () => variable === undefined,
  })
  return typeof grace === "object" ? [grace.platform, grace.ms] : grace
}

describe("the platforms' grace in the code and in docs/setup/SOJOURN_DRAIN_TOO_LONG.md", () => {
  const platforms = platformsIn(read(`${folder}/SOJOURN_DRAIN_TOO_LONG.md`))

  it("has a row for each", () => {
    const source = read("packages/core/src/setup/platformGrace.ts")
    const inCode = [...source.matchAll(/platform: "([^"]+)"/g)].map(([, platform]) => platform)
    expect(platforms.map(([platform]) => platform)).toEqual(inCode)
  })

  it.each(platforms)("%s", (platform, variables, ms) => {
    for (const variable of variables.length === 0 ? [undefined] : variables)
      expect([variable, recognised(variable)]).toEqual([variable, [platform, ms]])
  })
})

it("the gate finds what it looks for", () => {
  const fence = "```ts typecheck\nconst right = 1\n```"
  const good = `# CODE\n\n**What was seen.** A.\n\n**Why it matters, for x.** B.\n\n${fence}\n\n**To silence it:** \`SOJOURN_SETUP_CHECKS=CODE\`.\n`
  expect(lacks("CODE", good)).toEqual([])
  expect(lacks("OTHER", good)).toEqual(["its code as the heading", "how to silence it"])
  expect(lacks("CODE", good.replace("typecheck", "fragment"))).toEqual(["an example that is checked"])
  expect(lacks("CODE", "")).toHaveLength(5)
  expect(rowsIn("| Code |\n| [`A_B`](A_B.md)   | x |\n| [`C`](D.md) | x |\n| `E` | x |\n")).toEqual(["A_B"])
  expect(lookedForIn('foundInSetup(\n  "A_B",\n  x)\nfoundInSetup(code, "C")')).toEqual(["A_B"])
  expect(
    platformsIn("| PM2 | `pm_id`, `b` | 1.6 s | [x](y) | z |\n| Platform | By | Waits | Where |\n"),
  ).toEqual([["PM2", ["pm_id", "b"], 1600]])
})
