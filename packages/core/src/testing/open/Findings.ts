/** What is wrong with an `open`: each thing once, with every scenario in which it showed, and what to do about it. */
import { listed } from "../problems.ts"

interface Finding {
  readonly what: string
  readonly todo: string
  readonly when: Array<string>
}

export class Findings {
  readonly #found: Array<Finding> = []
  /** Something will not end: what comes after it would only wait again. */
  stopped = false

  add(when: string, what: string, todo: string): void {
    const known = this.#found.find((finding) => finding.what === what)
    if (known === undefined) this.#found.push({ what, todo, when: [when] })
    else if (!known.when.includes(when)) known.when.push(when)
  }
  /** Found in an earlier scenario already. */
  has(what: string): boolean {
    return this.#found.some((finding) => finding.what === what)
  }
  throwAny(): void {
    if (this.#found.length === 0) return
    const lines = this.#found.map(({ todo, what, when: [first, ...others] }) => {
      const also = others.length === 0 ? "" : ` (Also ${others.map(asPart).join(", ")}.)`
      return `${first}: ${what}. ${todo}${also}`
    })
    const more = this.stopped ? ["The checks after this one were not run: they would only wait again."] : []
    throw listed("checkOpen: this open does not keep the rules", [...lines, ...more])
  }
}

const asPart = (when: string): string => when.charAt(0).toLowerCase() + when.slice(1)
