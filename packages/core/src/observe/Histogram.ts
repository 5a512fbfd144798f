/**
 * Durations in one typed array: each decade from the unit on is cut into eighths of its beginning, so a value is off by
 * at most an eighth, recording allocates nothing, and 1, 2.5 and 5 of every decade are ends of buckets, as metrics want them.
 */
const perDecade = 72
const powers = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10] as const
/** The first is for what is under one unit. */
const buckets = 1 + perDecade * (powers.length - 1)
/** Units: 71 minutes of microseconds, 49 days of milliseconds; what is longer is in the same bucket. */
const longest = 0xffffffff

/** Units in a millisecond. */
const microseconds = 1000
export const milliseconds = 1

export class Histogram {
  readonly #buckets = new Uint32Array(buckets)
  readonly #perMs: number
  count = 0
  /** Milliseconds. */
  sum = 0

  /** `perMs`: how many units a millisecond has. Microseconds for what turns do, milliseconds for what may last for days. */
  constructor(perMs: number = microseconds) {
    this.#perMs = perMs
  }
  record(ms: number): void {
    this.count++
    this.sum += ms
    const index = bucketOf(ms, this.#perMs)
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
      if (seen >= rank) return upperEnd(index, this.#perMs)
    }
    return upperEnd(buckets - 1, this.#perMs)
  }
  /** How many were at most as long as each of these, which are in ascending order; exact at the ends of buckets. Milliseconds. */
  upTo(bounds: ReadonlyArray<number>): Array<number> {
    let index = 0
    let seen = 0
    return bounds.map((bound) => {
      const end = bound * this.#perMs * (1 + 1e-9)
      while (index < buckets && (ends[index] ?? Infinity) <= end) seen += this.#buckets[index++] ?? 0
      return seen
    })
  }
}

export const bucketOf = (ms: number, perMs: number = microseconds): number => {
  const units = ms * perMs
  if (!(units >= 1)) return 0
  const whole = units >= longest ? longest : units >>> 0
  // The decade of the power of two below it, or the one after that.
  let decade = ((31 - Math.clz32(whole)) * 1233) >> 12
  if (whole >= (powers[decade + 1] ?? Infinity)) decade++
  const power = powers[decade] ?? 1
  return 1 + decade * perDecade + Math.min(perDecade - 1, ((Math.min(units, longest) / power - 1) * 8) >>> 0)
}
/** Milliseconds. */
export const upperEnd = (index: number, perMs: number = microseconds): number => (ends[index] ?? 0) / perMs

/** Where each bucket ends, in units. */
const ends = Float64Array.from({ length: buckets }, (_, index) => {
  if (index === 0) return 1
  const power = powers[Math.floor((index - 1) / perDecade)] ?? 1
  return power * (1 + (((index - 1) % perDecade) + 1) / 8)
})
