/** Where the keys of a grid lead, as the ARIA pattern has them. Row -1 is the header. Pure. */

export interface Cell {
  readonly row: number
  readonly column: number
}

export interface Bounds {
  readonly rows: number
  readonly columns: number
  /** Rows of a page. */
  readonly page: number
}

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(value, most))

/** Undefined: the key is none of these. */
export const moved = (from: Cell, stroke: string, { rows, columns, page }: Bounds): Cell | undefined => {
  const to = (row: number, column: number): Cell => ({
    row: clamp(row, -1, rows - 1),
    column: clamp(column, 0, columns - 1),
  })
  const { row, column } = from
  switch (stroke) {
    case "ArrowDown":
    case "j":
      return to(row + 1, column)
    case "ArrowUp":
      return to(row - 1, column)
    case "k":
      // It walks through rows, not into the header.
      return to(Math.max(0, row - 1), column)
    case "ArrowRight":
      return to(row, column + 1)
    case "ArrowLeft":
      return to(row, column - 1)
    case "Home":
      return to(row, 0)
    case "End":
      return to(row, columns - 1)
    case "Mod+Home":
      return to(0, 0)
    case "Mod+End":
      return to(rows - 1, columns - 1)
    case "PageDown":
      return to(Math.max(0, row) + page, column)
    case "PageUp":
      return to(Math.max(0, row - page), column)
    default:
      return undefined
  }
}
