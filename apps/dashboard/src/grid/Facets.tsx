import type { ReactNode } from "react"
import { formatCount } from "../text/format.ts"
import { Text } from "../text/Text.tsx"
import css from "./Facets.module.css"

export interface Facet {
  readonly value: string
  /** How it reads; the value itself. */
  readonly shown?: ReactNode
  /** Rows that match all other filters and have this value. */
  readonly count: number
}

/** One field to filter by: its values, how many rows each would give, and which are chosen. */
export const Facets = ({
  title,
  facets,
  chosen,
  onChange,
}: {
  readonly title: string
  readonly facets: ReadonlyArray<Facet>
  readonly chosen: ReadonlyArray<string>
  readonly onChange: (chosen: ReadonlyArray<string>) => void
}): ReactNode => (
  <fieldset className={css["facets"]}>
    <legend className={css["title"]}>{title}</legend>
    <div className={css["values"]}>
      {facets.map(({ value, shown, count }) => {
        const on = chosen.includes(value)
        return (
          <button
            key={value}
            type="button"
            className={css["value"]}
            aria-pressed={on}
            onClick={() => onChange(on ? chosen.filter((other) => other !== value) : [...chosen, value])}
          >
            <span className={css["name"]}>{shown ?? <Text value={value} most={40} />}</span>
            <span className={css["count"]}>{formatCount(count)}</span>
          </button>
        )
      })}
    </div>
  </fieldset>
)
