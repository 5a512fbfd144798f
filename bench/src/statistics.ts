/** The arithmetic of the harness: pure, so that it can be tested without measuring anything. */

/** A value per round, summed up so that one disturbed round does not show. */
export interface Summary {
  readonly median: number
  readonly p10: number
  readonly p90: number
}

/** Linear between the two neighbours; `NaN` for no values at all. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

export const summarize = (values: ReadonlyArray<number>): Summary => ({
  median: quantile(values, 0.5),
  p10: quantile(values, 0.1),
  p90: quantile(values, 0.9),
})

/**
 * Both lists hold one value per round. Two values of one round met the same machine, so their quotient says more than the
 * quotient of two medians taken at different times.
 */
export const perRound = (
  values: ReadonlyArray<number>,
  others: ReadonlyArray<number>,
  combine: (value: number, other: number) => number,
): ReadonlyArray<number> => {
  if (values.length !== others.length)
    throw new RangeError(`${values.length} rounds against ${others.length}`)
  return values.map((value, round) => combine(value, others[round] ?? Number.NaN))
}

export const ratios = (values: ReadonlyArray<number>, base: ReadonlyArray<number>): ReadonlyArray<number> =>
  perRound(values, base, (value, other) => value / other)

export const differences = (
  values: ReadonlyArray<number>,
  base: ReadonlyArray<number>,
): ReadonlyArray<number> => perRound(values, base, (value, other) => value - other)

/** How many operations fill `budgetMs`, when `count` of them took `tookMs`. */
export const sizeByTime = (count: number, tookMs: number, budgetMs: number, most: number): number => {
  const wanted = tookMs > 0 ? Math.round((count * budgetMs) / tookMs) : most
  return Math.min(most, Math.max(1, wanted))
}
