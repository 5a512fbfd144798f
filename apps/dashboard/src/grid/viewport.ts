/** Which rows lie in a window of so many pixels. Pure. */

/** Browsers lay out nothing beyond some 16 million pixels; above this the scroll bar stands for more rows than pixels. */
export const mostPixels = 8_000_000

export interface Viewport {
  /** Of everything that is scrolled. Pixels. */
  readonly height: number
  readonly first: number
  /** Rows that are seen, even in part. */
  readonly count: number
  /** Where the first row begins, in what is scrolled. Pixels. */
  readonly top: number
}

export interface Measures {
  readonly total: number
  readonly rowHeight: number
  /** Of the part in which rows are seen. */
  readonly viewHeight: number
}

const scale = ({ total, rowHeight, viewHeight }: Measures): number => {
  const all = total * rowHeight
  return all <= mostPixels ? 1 : (all - viewHeight) / (mostPixels - viewHeight)
}

export const viewport = (measures: Measures, scrolled: number): Viewport => {
  const { total, rowHeight, viewHeight } = measures
  const height = Math.min(total * rowHeight, mostPixels)
  const within = Math.max(0, Math.min(scrolled, height - viewHeight))
  const by = scale(measures)
  const virtual = within * by
  const first = Math.max(0, Math.min(total - 1, Math.floor(virtual / rowHeight)))
  const top = by === 1 ? first * rowHeight : within - (virtual - first * rowHeight)
  const count = Math.max(0, Math.min(total - first, Math.ceil(viewHeight / rowHeight) + 1))
  return { height, first, count, top }
}

/** Where to scroll so that a row is seen whole, by as little as can be; where it is already, the same place. */
export const scrollFor = (measures: Measures, scrolled: number, index: number): number => {
  const { rowHeight, viewHeight } = measures
  const by = scale(measures)
  const virtual = scrolled * by
  const top = index * rowHeight
  if (top < virtual) return top / by
  // A row higher than the view is seen from its top.
  const bottom = Math.min(top, top + rowHeight - viewHeight)
  return bottom > virtual ? bottom / by : scrolled
}
