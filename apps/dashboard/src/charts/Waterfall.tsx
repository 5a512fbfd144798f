import type { CSSProperties, ReactNode } from "react"
import { formatMs } from "../text/format.ts"
import { Text } from "../text/Text.tsx"
import css from "./bars.module.css"

export interface WaterfallStep {
  readonly id: string
  readonly name: string
  /** Milliseconds since the whole began. */
  readonly from: number
  /** Undefined: still under way. */
  readonly to: number | undefined
  /** Of the step it is part of, one less. */
  readonly depth?: number | undefined
  readonly failed?: boolean | undefined
}

/** What happened one after the other, and how long each took, such as the layers of an opening. */
export const Waterfall = ({
  label,
  steps,
  now,
}: {
  readonly label: string
  readonly steps: ReadonlyArray<WaterfallStep>
  /** Milliseconds since the whole began: where what is under way ends for now. */
  readonly now: number
}): ReactNode => {
  const whole = Math.max(1, ...steps.map(({ to }) => to ?? now))
  return (
    <ol className={css["waterfall"]} aria-label={label}>
      {steps.map(({ id, name, from, to, depth = 0, failed = false }) => {
        const until = to ?? now
        return (
          <li key={id} className={css["step"]}>
            <span className={css["name"]} style={{ "--depth": depth } as CSSProperties}>
              <Text value={name} most={80} />
            </span>
            <span className={css["lane"]} aria-hidden>
              <span
                className={css["span"]}
                data-tone={failed ? "bad" : undefined}
                data-open={to === undefined}
                style={{
                  left: `${(from / whole) * 100}%`,
                  width: `${(Math.max(0, until - from) / whole) * 100}%`,
                }}
              />
            </span>
            <span className={css["length"]}>
              {formatMs(Math.max(0, until - from))}
              {to === undefined ? "…" : ""}
              {failed && <strong> failed</strong>}
              <span className="sj-hidden">, begun after {formatMs(from)}</span>
            </span>
          </li>
        )
      })}
    </ol>
  )
}
