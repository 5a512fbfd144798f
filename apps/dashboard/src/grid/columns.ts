import type { ReactNode } from "react"

export interface Column<Row> {
  readonly id: string
  readonly title: string
  /** Pixels at least. */
  readonly width: number
  /** Its share of the room that is left, 0. */
  readonly grow?: number | undefined
  /** Numbers stand at the end, so that their digits are below each other. */
  readonly numeric?: boolean | undefined
  readonly sortable?: boolean | undefined
  /** It cannot be hidden: it says what the row is. */
  readonly always?: boolean | undefined
  /** What it means, for who points at its head. */
  readonly help?: string | undefined
  /** What is in it has no meaning for Enter of its own: that opens the row. */
  readonly cell: (row: Row) => ReactNode
}

/** In the order asked for; those that cannot be hidden come first where they were left out. */
export const chosenColumns = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  wanted: ReadonlyArray<string>,
): ReadonlyArray<Column<Row>> => [
  ...columns.filter(({ id, always }) => always === true && !wanted.includes(id)),
  ...wanted.flatMap((id) => columns.filter((column) => column.id === id)),
]
