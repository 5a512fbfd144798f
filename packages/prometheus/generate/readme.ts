/** The tables of the README: every metric, and the buckets of the histograms. */
import { metrics } from "./metrics.ts"

const quoted = (names: ReadonlyArray<string>): string => names.map((name) => `\`${name}\``).join(", ")

/** Padded, as the formatter has it. */
const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n")
}

const all = table([
  ["name", "type", "labels", "together", "meaning"],
  ...metrics.map(({ help, labels, name, together, type }) => [
    `\`${name}\``,
    type,
    quoted(labels),
    together,
    help,
  ]),
])
const buckets = table([
  ["name", "seconds"],
  ...metrics.flatMap((metric) =>
    metric.buckets === undefined ? [] : [[`\`${metric.name}\``, metric.buckets.join(", ")]],
  ),
])

/** The first table below a heading becomes `made`. */
const withTable = (text: string, heading: string, made: string): string => {
  const at = text.indexOf(`\n## ${heading}\n`)
  const begin = text.indexOf("\n| ", at)
  const end = text.indexOf("\n\n", begin)
  if (at === -1 || begin === -1 || end === -1) throw new Error(`README.md: no table below ${heading}`)
  return text.slice(0, begin + 1) + made + text.slice(end)
}

/** The README with its tables as they should be. */
export const readme = (text: string): string => withTable(withTable(text, "Metrics", all), "Buckets", buckets)
