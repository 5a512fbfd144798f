/** The README says how long both are. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"

const read = (path: string): string => readFileSync(join(import.meta.dirname, "..", path), "utf8")

/** Lines that are neither empty nor a comment. */
const codeLines = (source: string): number =>
  source
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("//")).length

test("the README's counts are the files'", () => {
  const readme = read("README.md")
  const names = ["before.ts", "after.ts"]
  const said = names.map((name) => new RegExp(`\`src/${name}\`\\s*\\|\\s*(\\d+)`).exec(readme)?.[1])
  expect(said.map(Number)).toEqual(names.map((name) => codeLines(read(`src/${name}`))))
})

test("comments and empty lines do not count", () => {
  expect(codeLines("/** one\n * two */\nconst a = 1 // code\n\n  // no code\nconst b = 2\n")).toBe(2)
})
