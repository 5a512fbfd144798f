/**
 * A generator with a period of about 2^128 (sfc32). Linear congruential ones, `Math`-style, return to the same keys early:
 * the keys then sit in the processor's cache, and a map of a million looks like a map of a thousand.
 */
export const randomIntegers = (seed: number): ((below: number) => number) => {
  let a = 0x9e3779b9 | 0
  let b = 0x243f6a88 | 0
  let c = seed | 0
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 16; i++) next()
  return (below) => Math.floor((next() / 2 ** 32) * below)
}

export const shuffled = <A>(items: ReadonlyArray<A>, random: (below: number) => number): ReadonlyArray<A> => {
  const copy = items.slice()
  for (let last = copy.length - 1; last > 0; last--) {
    const other = random(last + 1)
    const kept = copy[last] as A
    copy[last] = copy[other] as A
    copy[other] = kept
  }
  return copy
}
