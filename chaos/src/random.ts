/**
 * Seeded choices. A fork depends on its labels alone and not on what was drawn before, so what the fifth opening of a key
 * does is the same in every run of a seed, however the machine mixed everything else.
 */
export class Random {
  readonly #seed: string
  #state: number

  constructor(seed: string) {
    this.#seed = seed
    this.#state = hash(seed)
  }
  fork(...labels: ReadonlyArray<string | number>): Random {
    return new Random(`${this.#seed}/${labels.join("/")}`)
  }

  /** A whole number from 0 up to, and without, `end`. */
  below(end: number): number {
    return Math.floor(this.#next() * end)
  }
  /** From `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }
  chance(share: number): boolean {
    return this.#next() < share
  }
  pick<A>(list: readonly [A, ...Array<A>]): A
  pick<A>(list: ReadonlyArray<A>): A | undefined
  pick<A>(list: ReadonlyArray<A>): A | undefined {
    return list[this.below(list.length)]
  }
  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Array<Name>
    let left = this.#next() * names.reduce((sum, name) => sum + weights[name], 0)
    for (const name of names) {
      left -= weights[name]
      if (left < 0) return name
    }
    return names.at(-1) as Name
  }

  /** A Weyl sequence, mixed twice: 0 up to 1. */
  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32
  }
}

const hash = (text: string): number => {
  let sum = 0x811c9dc5
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193)
  return sum | 0
}
