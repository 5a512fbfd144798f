import { memo, type ReactNode } from "react"
import { extent, type Value } from "./data.ts"
import css from "./bars.module.css"

/** The path of a line in a box of 100 by 100; a null lifts the pen. Empty where nothing is known. */
export const sparkPath = (values: ReadonlyArray<Value>): string => {
  const range = extent(values)
  if (range === undefined) return ""
  const high = Math.max(range[1], 0) - Math.min(range[0], 0) || 1
  const least = Math.min(range[0], 0)
  const step = values.length > 1 ? 100 / (values.length - 1) : 0
  let path = ""
  let down = false
  for (const [index, value] of values.entries()) {
    if (value === null || !Number.isFinite(value)) {
      down = false
      continue
    }
    const x = Math.round(index * step * 10) / 10
    const y = Math.round((100 - ((value - least) / high) * 100) * 10) / 10
    // A point between two gaps is a short stroke of its own.
    path += down ? `L${x} ${y}` : `M${x} ${y}h.1`
    down = true
  }
  return path
}

/** A small line inside a row. `words` says what it shows. */
export const Sparkline = memo(
  ({ values, words }: { readonly values: ReadonlyArray<Value>; readonly words: string }): ReactNode => (
    <svg
      className={css["spark"]}
      viewBox="-2 -6 104 112"
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <path
        d={sparkPath(values)}
        fill="none"
        stroke="var(--chart-1)"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  ),
)
