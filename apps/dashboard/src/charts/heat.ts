/** Which cells of a heatmap are drawn, and how dark. Pure. */

/** Shades; nothing is drawn for 0. */
export const levels = 12

export interface HeatCell {
  readonly time: number
  readonly bucket: number
  /** 0 to `levels` - 1. By the logarithm: one among thousands is still seen. */
  readonly level: number
}

export const cells = (
  counts: ReadonlyArray<ReadonlyArray<number> | null>,
  from = 0,
  to = counts.length - 1,
): ReadonlyArray<HeatCell> => {
  let most = 1
  for (let time = from; time <= to; time += 1)
    for (const count of counts[time] ?? []) if (count > most) most = count
  const whole = Math.log1p(most)
  const found: Array<HeatCell> = []
  for (let time = from; time <= to; time += 1) {
    const column = counts[time] ?? []
    for (let bucket = 0; bucket < column.length; bucket += 1) {
      const count = column[bucket] ?? 0
      if (count > 0)
        found.push({
          time,
          bucket,
          level: Math.min(levels - 1, Math.floor((Math.log1p(count) / whole) * levels)),
        })
    }
  }
  return found
}
