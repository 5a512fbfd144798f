/**
 * What was seen just now, for who asks for the very same, where there is much to look at: a look that took long is good for longer,
 * so that equal questions never take more than a small share of the process's time. Where there is little, each is a look.
 */
const kept = 32
/** Sessions. */
export const much = 5000
/** A look is good for so many times what it took. */
const goodFor = 20

export interface Looked {
  readonly snapshot: number
  readonly at: number
  /** What changes only when what is shown changes. */
  readonly content: string
  readonly etag: string
}

export class LookCache {
  readonly #looks = new Map<string, { readonly looked: Looked; readonly until: number }>()

  get(question: string): Looked | undefined {
    const found = this.#looks.get(question)
    if (found === undefined) return undefined
    if (performance.now() <= found.until) return found.looked
    this.#looks.delete(question)
    return undefined
  }
  set(question: string, looked: Looked, took: number): void {
    if (this.#looks.size >= kept)
      for (const oldest of this.#looks.keys()) {
        this.#looks.delete(oldest)
        break
      }
    this.#looks.set(question, { looked, until: performance.now() + took * goodFor })
  }
  /** Something was done: what is seen next must show it. */
  clear(): void {
    this.#looks.clear()
  }
}
