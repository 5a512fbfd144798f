/**
 * The last readings of some series, one row for each slot of time. Which slots have been read is kept beside the values, so
 * a gap costs nothing and cannot be taken for a value.
 */
import { lost, type Pages, pageSize, usual } from "./Pages.ts"

export class Ring {
  /** How many slots back it can be read. */
  readonly slots: number
  readonly #rows: number
  readonly #pages: Pages
  readonly #usual: Float64Array
  readonly #table: Int32Array
  readonly #inColumn: number
  /** The seconds that each slot's reading covers. 0: there is none. */
  readonly #covered: Float32Array
  #last = -1

  /** `usuals`: of each column, the value that takes no room. */
  constructor(pages: Pages, slots: number, usuals: ReadonlyArray<number>) {
    this.slots = slots
    // One page more than can be read: the page that is begun anew holds nothing that is still asked for.
    this.#inColumn = Math.ceil(slots / pageSize) + 1
    this.#rows = this.#inColumn * pageSize
    this.#pages = pages
    this.#usual = Float64Array.from(usuals)
    this.#table = new Int32Array(usuals.length * this.#inColumn).fill(usual)
    this.#covered = new Float32Array(this.#rows)
  }
  /** Without the pages. */
  get bytes(): number {
    return this.#table.byteLength + this.#covered.byteLength + this.#usual.byteLength
  }
  /** The newest slot that was begun; -1: none. */
  get last(): number {
    return this.#last
  }
  /** Makes room for a slot. Slots go up; those that were left out are gaps. */
  begin(slot: number, covered: number): void {
    const from = Math.max(this.#last + 1, slot - this.#rows + 1)
    for (let at = from; at <= slot; at++) {
      const row = at % this.#rows
      this.#covered[row] = 0
      if (row % pageSize === 0) this.#empty(Math.floor(row / pageSize))
    }
    this.#last = slot
    this.#covered[slot % this.#rows] = covered
  }
  /** In the slot that was begun last. */
  write(column: number, value: number): void {
    const row = this.#last % this.#rows
    const at = column * this.#inColumn + Math.floor(row / pageSize)
    let page = this.#table[at] ?? lost
    if (page === usual) {
      const always = this.#usual[column] ?? 0
      if (Object.is(value, always)) return
      this.#table[at] = page = this.#pages.take(always)
    }
    if (page !== lost) this.#pages.set(page, row % pageSize, value)
  }
  /** Seconds; 0: it was not read, or is no longer kept. */
  covered(slot: number): number {
    return slot > this.#last || slot <= this.#last - this.slots || slot < 0
      ? 0
      : (this.#covered[slot % this.#rows] ?? 0)
  }
  /** Of a slot that is covered. NaN: it has no value there. */
  read(column: number, slot: number): number {
    const row = slot % this.#rows
    const page = this.#table[column * this.#inColumn + Math.floor(row / pageSize)] ?? lost
    if (page === usual) return this.#usual[column] ?? 0
    return page === lost ? Number.NaN : this.#pages.get(page, row % pageSize)
  }
  /** Forgets this slot and what came after it: time was set back. */
  cut(slot: number): void {
    for (let at = Math.max(slot, this.#last - this.#rows + 1, 0); at <= this.#last; at++)
      this.#covered[at % this.#rows] = 0
    this.#last = Math.min(this.#last, slot - 1)
  }
  /** Gives its pages back. It is not used afterwards. */
  release(): void {
    for (let page = 0; page < this.#inColumn; page++) this.#empty(page)
  }
  #empty(page: number): void {
    this.#covered.fill(0, page * pageSize, (page + 1) * pageSize)
    for (let at = page; at < this.#table.length; at += this.#inColumn) {
      this.#pages.give(this.#table[at] ?? usual)
      this.#table[at] = usual
    }
  }
}
