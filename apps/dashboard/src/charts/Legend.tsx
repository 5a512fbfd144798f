import type { ReactNode } from "react"
import { useSelected } from "../state/useStore.ts"
import { formatClock, formatIn, type Unit } from "../text/format.ts"
import { dashes, seriesVariable } from "./colours.ts"
import type { CursorStore } from "./cursor.tsx"
import { nearest, type TimeData } from "./data.ts"
import css from "./ChartFrame.module.css"

/** A sample of each line with its name, and its value at the cursor or the last one. */
export const Legend = ({
  data,
  unit,
  cursor,
}: {
  readonly data: TimeData
  readonly unit: Unit
  readonly cursor: CursorStore
}): ReactNode => {
  const pointed = useSelected(cursor, (at) => (at === undefined ? undefined : nearest(data.times, at)))
  const index = pointed ?? data.times.length - 1
  const time = data.times[index]
  return (
    // The cursor says the same to those who do not see it.
    <div className={css["legend"]} aria-hidden>
      {data.series.map(({ id, label, values }, number) => (
        <span key={id} className={css["item"]}>
          <svg width="20" height="8">
            <line
              x1="0"
              x2="20"
              y1="4"
              y2="4"
              strokeWidth="2.5"
              stroke={seriesVariable(number)}
              strokeDasharray={(dashes[number % dashes.length] ?? []).join(" ")}
            />
          </svg>
          {label}
          <span className={css["value"]}>{formatIn(unit, values[index])}</span>
        </span>
      ))}
      {pointed !== undefined && time !== undefined && <span className="sj-note">{formatClock(time)}</span>}
    </div>
  )
}
