/** Rows as a server gives them: a window onto many, in its order. */
import type { Readable } from "../state/Store.ts"
import type { Param } from "../url/params.ts"

export interface RowWindow<Row> {
  /** Rows that match, all of them. */
  readonly total: number
  /** Rows before the first one of these. */
  readonly offset: number
  /** An unchanged row is the same object as before. */
  readonly rows: ReadonlyArray<Row>
}

/** Undefined until the first window has come. */
export interface RowSource<Row> extends Readable<RowWindow<Row> | undefined> {
  /** Which rows are to be seen. The newest wish counts; an answer may give fewer. */
  readonly ask: (offset: number, limit: number) => void
}

/** What is selected: these rows, or whatever matches the filters, of which only the server knows how many. */
export type Selection =
  | { readonly mode: "some"; readonly ids: ReadonlySet<string> }
  | { readonly mode: "all" }

export const nothingSelected: Selection = { mode: "some", ids: new Set() }

export const isSelected = (selection: Selection, id: string): boolean =>
  selection.mode === "all" || selection.ids.has(id)

/** Rows selected one by one, at most: they are part of the address, and more are better said by a filter. */
export const mostSelected = 100

/** In the address: each row, or `*` for all that match. */
export const selectionParam: Param<Selection> = {
  usual: nothingSelected,
  read: (values) =>
    values.includes("*")
      ? { mode: "all" }
      : {
          mode: "some",
          ids: new Set(
            values.flatMap((value) => (value.startsWith("=") ? value.slice(1) : [])).slice(0, mostSelected),
          ),
        },
  write: (selection) =>
    selection.mode === "all" ? ["*"] : [...selection.ids].slice(0, mostSelected).map((id) => `=${id}`),
}

/** Out of "all" it leads to nothing but what is shown: what was never seen is not selected one by one. */
export const toggled = (selection: Selection, id: string): Selection => {
  if (selection.mode === "all") return nothingSelected
  const ids = new Set(selection.ids)
  if (!ids.delete(id) && ids.size < mostSelected) ids.add(id)
  return { mode: "some", ids }
}
