/** The last lines of what happened, for people. Cleared each round, so that it does not look like a leak. */
const mostLines = 20_000
const shownLines = 200

export class Trace {
  #lines: Array<string> = []
  readonly #began = performance.now()

  add(line: string): void {
    this.#lines.push(`${(performance.now() - this.#began).toFixed(0).padStart(8)}  ${line}`)
    if (this.#lines.length >= mostLines * 2) this.#lines = this.#lines.slice(-mostLines)
  }
  clear(): void {
    this.#lines = []
  }
  /** Those about one key or generation, if it is known and anything was written of it. */
  last(about: string | undefined): ReadonlyArray<string> {
    const own = about === undefined ? [] : this.#lines.filter((line) => mentions(line, about))
    return (own.length > 0 ? own : this.#lines).slice(-shownLines)
  }
}

/** `#7` is not `#71`, and `child1` not `child12`. */
const mentions = (line: string, about: string): boolean => {
  const at = line.indexOf(about)
  return at >= 0 && !/\d/.test(line[at + about.length] ?? "")
}
