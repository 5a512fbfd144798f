/** The text people read: ratios first, since they carry over to another machine; absolute figures last, since they do not. */
import type { Group, Unit } from "./harness.ts"
import type { Summary } from "./statistics.ts"
import type { Verdict } from "./targets.ts"

const figure = (value: number): string => {
  const size = Math.abs(value)
  if (!Number.isFinite(value)) return "-"
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const spread = ({ median, p10, p90 }: Summary): string => `${figure(median)} [${figure(p10)} ${figure(p90)}]`

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  )
}

const units: { readonly [U in Unit]: string } = {
  ns: "ns, this machine",
  ms: "ms, this machine",
  B: "bytes",
}

const letters = ["a", "b", "c", "d"]

export const groupText = (group: Group): string => {
  const legend = group.against.map((base, i) => `${letters[i] ?? i} = ${base}`).join(", ")
  const head = [group.title, ...group.against.map((_, i) => `x ${letters[i] ?? i}`), units[group.unit]]
  const rows = group.cases.map(({ name, value, ratios }) => [
    name,
    ...group.against.map((base) => {
      const ratio = ratios[base]
      return ratio === undefined ? "1" : spread(ratio)
    }),
    group.unit === "ns" ? figure(value.median) : spread(value),
  ])
  const notes = [...(legend === "" ? [] : [legend]), ...group.notes]
  return [...table([head, ...rows]), ...notes.map((note) => `  ${note}`)].join("\n")
}

export const verdictsText = (verdicts: ReadonlyArray<Verdict>): string =>
  table([
    ["target", "must be", "measured", "reached"],
    ...verdicts.map(({ row, must, limit, unit, measured, reached, aim }) => [
      row,
      `${aim === true ? "(aim) " : ""}${must} ${limit} ${unit}`,
      `${figure(measured)} ${unit}`,
      reached ? "yes" : "no",
    ]),
  ]).join("\n")
