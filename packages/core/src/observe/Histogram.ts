/**
 * Durations in one typed array: eight buckets an octave over microseconds, so a value is off by at most an eighth, and
 * recording allocates nothing.
 */
const perOctave = 8
const octaves = 29

export class Histogram {
  readonly #buckets = new Uint32Array((octaves + 1) * perOctave)
  count = 0
  /** Milliseconds. */
  sum = 0

  record(milliseconds: number): void {
    this.count++
    this.sum += milliseconds
    const index = bucketOf(milliseconds)
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
  }
  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count
  }
  /** `share` 0 to 1; milliseconds, the upper end of the bucket it falls in. */
  quantile(share: number): number {
    if (this.count === 0) return 0
    const rank = Math.max(1, Math.ceil(share * this.count))
    let seen = 0
    for (let index = 0; index < this.#buckets.length; index++) {
      seen += this.#buckets[index] ?? 0
      if (seen >= rank) return upperEnd(index)
    }
    return upperEnd(this.#buckets.length - 1)
  }
}

export const bucketOf = (milliseconds: number): number => {
  const micros = milliseconds >= 4_294_967 ? 0xffffffff : milliseconds > 0 ? (milliseconds * 1000) >>> 0 : 0
  if (micros < perOctave) return micros
  const octave = 31 - Math.clz32(micros)
  return (octave - 2) * perOctave + ((micros >>> (octave - 3)) & (perOctave - 1))
}
/** Milliseconds. */
export const upperEnd = (index: number): number => {
  if (index < perOctave) return (index + 1) / 1000
  const octave = Math.floor(index / perOctave) + 2
  return (2 ** octave + ((index % perOctave) + 1) * 2 ** (octave - 3)) / 1000
}
