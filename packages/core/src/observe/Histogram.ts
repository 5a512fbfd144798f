/**
 * Durations in one typed array: each decade from a microsecond on is cut into eighths of its beginning, so a value is off by
 * at most an eighth, recording allocates nothing, and 1, 2.5 and 5 of every decade are ends of buckets, as metrics want them.
 */
const perDecade = 72
const powers = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10] as const
/** The first is for what is under a microsecond. */
const buckets = 1 + perDecade * (powers.length - 1)
/** Microseconds: 71 minutes; what is longer is in the same bucket. */
const longest = 0xffffffff

export class Histogram {
  readonly #buckets = new Uint32Array(buckets)
  count = 0
  /** Milliseconds. */
  sum = 0

  record(milliseconds: number): void {
    this.count++
    this.sum += milliseconds
    const index = bucketOf(milliseconds)
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
  }
  /** Counts what the other has counted. */
  add(other: Histogram): this {
    this.count += other.count
    this.sum += other.sum
    for (let index = 0; index < buckets; index++)
      this.#buckets[index] = (this.#buckets[index] ?? 0) + (other.#buckets[index] ?? 0)
    return this
  }
  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count
  }
  /** `share` 0 to 1; milliseconds, the upper end of the bucket it falls in. */
  quantile(share: number): number {
    if (this.count === 0) return 0
    const rank = Math.max(1, Math.ceil(share * this.count))
    let seen = 0
    for (let index = 0; index < buckets; index++) {
      seen += this.#buckets[index] ?? 0
      if (seen >= rank) return upperEnd(index)
    }
    return upperEnd(buckets - 1)
  }
  /** How many were at most as long as each of these, which are in ascending order; exact at the ends of buckets. Milliseconds. */
  upTo(bounds: ReadonlyArray<number>): Array<number> {
    let index = 0
    let seen = 0
    return bounds.map((bound) => {
      const end = bound * (1 + 1e-9)
      while (index < buckets && upperEnd(index) <= end) seen += this.#buckets[index++] ?? 0
      return seen
    })
  }
}

export const bucketOf = (milliseconds: number): number => {
  const micros = milliseconds * 1000
  if (!(micros >= 1)) return 0
  const whole = micros >= longest ? longest : micros >>> 0
  // The decade of the power of two below it, or the one after that.
  let decade = ((31 - Math.clz32(whole)) * 1233) >> 12
  if (whole >= (powers[decade + 1] ?? Infinity)) decade++
  const power = powers[decade] ?? 1
  return 1 + decade * perDecade + Math.min(perDecade - 1, ((Math.min(micros, longest) / power - 1) * 8) >>> 0)
}
/** Milliseconds. */
export const upperEnd = (index: number): number => {
  if (index === 0) return 0.001
  const power = powers[Math.floor((index - 1) / perDecade)] ?? 1
  return (power * (1 + (((index - 1) % perDecade) + 1) / 8)) / 1000
}
