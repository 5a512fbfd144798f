import type { LiveSession } from "@sojourn/core/inspect"
import type { Names, Search } from "../names/Names.ts"

export interface Window<Row, Facets> {
  readonly total: number
  readonly offset: number
  readonly unsearched: number
  readonly facets: Facets
  readonly rows: ReadonlyArray<Row>
}

/** `-column`: the largest first. */
export const sortOf = <Column extends string>(
  sort: Column | `-${Column}` | undefined,
  usual: Column | `-${Column}`,
): readonly [column: Column, descending: boolean] => {
  const given = sort ?? usual
  return given.startsWith("-") ? [given.slice(1) as Column, true] : [given as Column, false]
}

/** A search, or none: without a text everything is found. */
export class SearchIn {
  readonly #search: Search | undefined
  constructor(names: Names, text: string | undefined) {
    this.#search = text === undefined || text === "" ? undefined : names.search(text)
  }
  get unsearched(): number {
    return this.#search?.unsearched ?? 0
  }
  finds(kind: string, session: LiveSession, name?: string, note?: string): boolean {
    const search = this.#search
    return search === undefined || search.findsIn(name) || search.findsIn(note) || search.finds(kind, session)
  }
}
