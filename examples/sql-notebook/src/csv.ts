/** Rows as comma-separated values (RFC 4180). Null is empty; an empty text is quoted, so that the two stay apart. */

type Cell = string | null

export const csvLines = (rows: ReadonlyArray<ReadonlyArray<Cell>>): string =>
  rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("")

const csvCell = (cell: Cell): string => {
  if (cell === null) return ""
  return cell === "" || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
