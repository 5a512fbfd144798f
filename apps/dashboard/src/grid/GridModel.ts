/** The rows of a grid as they are shown: what the source gives, held still while somebody is at them. */
import { Store, type Readable } from "../state/Store.ts"
import { arrange, type Arrangement } from "./arrange.ts"
import type { RowSource, RowWindow } from "./rows.ts"

export type Hold = "hover" | "focus" | "selection"

export class GridModel<Row> implements Readable<Arrangement<Row> | undefined> {
  readonly #source: RowSource<Row>
  readonly #idOf: (row: Row) => string
  readonly #shown = new Store<Arrangement<Row> | undefined>(undefined)
  readonly #holds: Set<Hold>
  #unsubscribe: (() => void) | undefined
  #next: Arrangement<Row> | undefined
  /** Of the question before: the answer to the new one is another object. */
  #stale: RowWindow<Row> | undefined

  /** `holds`: of the model before, where a grid gets another source while somebody is at its rows. */
  constructor(source: RowSource<Row>, idOf: (row: Row) => string, holds = new Set<Hold>()) {
    this.#source = source
    this.#holds = holds
    this.#idOf = idOf
  }

  readonly get = (): Arrangement<Row> | undefined => this.#shown.get()

  readonly subscribe = (listener: () => void): (() => void) => {
    const unsubscribe = this.#shown.subscribe(listener)
    this.#unsubscribe ??= this.#source.subscribe(() => this.#update())
    this.#update()
    return () => {
      unsubscribe()
      if (this.#shown.watchers > 0) return
      this.#unsubscribe?.()
      this.#unsubscribe = undefined
    }
  }

  get held(): boolean {
    return this.#holds.size > 0
  }

  hold(why: Hold, on: boolean): void {
    if (on === this.#holds.has(why)) return
    if (on) this.#holds.add(why)
    else this.#holds.delete(why)
    this.#update()
  }

  /** The server's order, from now on held again if it was. Gives where a row is in it, if it is in the window. */
  apply(id?: string): number | undefined {
    this.#next = undefined
    this.#update()
    for (const [index, placed] of this.#next === undefined ? [] : this.#places())
      if (placed.id === id) return index
    return undefined
  }

  /** Other filters or another order: nothing of before is kept. */
  reset(): void {
    this.#stale = this.#source.get()
    this.#next = undefined
    this.#shown.set(undefined)
  }

  #places(): Arrangement<Row>["at"] {
    return this.#shown.get()?.at ?? new Map()
  }

  #update(): void {
    const window = this.#source.get()
    if (window === undefined || window === this.#stale) return
    this.#stale = undefined
    this.#next = arrange(this.#next, window, this.#idOf, this.held)
    this.#shown.set(this.#next)
  }
}
