import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { catalogue, processCatalogue } from "../src/catalogue.ts"

const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8")

/** The cells of each row whose first cell is a name in back ticks, below the heading. */
const rows = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? ""
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    )
}
const quoted = (names: ReadonlyArray<string>): string => names.map((name) => `\`${name}\``).join(", ")

test("the table of metrics is the catalogue: names, types, labels, meanings, in order", () => {
  const expected = [
    ...catalogue.map(({ help, labels, name, type }) => [
      `\`sojourn_${name}\``,
      type,
      quoted(["kind", ...labels]),
      help,
    ]),
    ...processCatalogue.map(({ bare, help, labels, name, type }) => [
      `\`${bare === true ? "" : "sojourn_"}${name}\``,
      type,
      quoted(labels),
      help,
    ]),
  ]
  expect(rows("Metrics")).toEqual(expected)
})

test("the table of buckets is the catalogue's", () => {
  const expected = [...catalogue, ...processCatalogue].flatMap((definition) =>
    definition.type === "histogram"
      ? [[`\`sojourn_${definition.name}\``, (definition.buckets ?? []).join(", ")]]
      : [],
  )
  expect(rows("Buckets")).toEqual(expected)
})
