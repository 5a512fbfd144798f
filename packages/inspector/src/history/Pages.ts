/**
 * Where all rings keep their values: pages of 90 numbers, cut from larger arrays. A page that would hold nothing but
 * its series' usual value is never taken, and most series (closes by reason, refusals) are quiet most of the time.
 */
export const pageSize = 90
const pagesInASlab = 128

/** Its series' usual value throughout. */
export const usual = -1
/** There was no room for it. */
export const lost = -2

export class Pages {
  readonly #slabs: Array<Float32Array> = []
  readonly #free: Array<number> = []
  readonly #most: number
  #made = 0
  /** Pages for which there was no room. */
  refused = 0

  constructor(mostBytes: number) {
    this.#most = Math.floor(mostBytes / (pageSize * Float32Array.BYTES_PER_ELEMENT))
  }
  get bytes(): number {
    return this.#slabs.length * pagesInASlab * pageSize * Float32Array.BYTES_PER_ELEMENT
  }
  /** Filled with `value`; `lost` when there is no room. */
  take(value: number): number {
    let page = this.#free.pop()
    if (page === undefined) {
      if (this.#made >= this.#most) {
        this.refused++
        return lost
      }
      page = this.#made++
      if (page % pagesInASlab === 0) this.#slabs.push(new Float32Array(pagesInASlab * pageSize))
    }
    const at = (page % pagesInASlab) * pageSize
    this.#slab(page).fill(value, at, at + pageSize)
    return page
  }
  give(page: number): void {
    if (page >= 0) this.#free.push(page)
  }
  get(page: number, at: number): number {
    return this.#slab(page)[(page % pagesInASlab) * pageSize + at] ?? Number.NaN
  }
  set(page: number, at: number, value: number): void {
    this.#slab(page)[(page % pagesInASlab) * pageSize + at] = value
  }
  #slab(page: number): Float32Array {
    const slab = this.#slabs[Math.floor(page / pagesInASlab)]
    if (slab === undefined) throw new RangeError(`No page ${page}.`)
    return slab
  }
}
