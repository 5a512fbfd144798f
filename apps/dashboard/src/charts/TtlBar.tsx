import type { CSSProperties, ReactNode } from "react"
import { formatMs } from "../text/format.ts"
import css from "./bars.module.css"

/**
 * How long a session still lives if nobody uses it. `closesAt` undefined: it does not close by itself, for the reason `why`,
 * such as "in use" or "leased".
 */
export const TtlBar = ({
  now,
  idleSince,
  closesAt,
  why = "stays",
}: {
  /** By the server's clock. Epoch milliseconds, as all here. */
  readonly now: number
  readonly idleSince: number | undefined
  readonly closesAt: number | undefined
  readonly why?: string | undefined
}): ReactNode => {
  if (closesAt === undefined)
    return (
      <span className="sj-note">
        <span aria-hidden>∞ </span>
        {why}
      </span>
    )
  const left = Math.max(0, closesAt - now)
  const whole = Math.max(1, closesAt - (idleSince ?? now))
  const part = Math.min(1, left / whole)
  return (
    <span className={css["bar"]}>
      <span
        className={`${css["track"]} ${css["life"]}`}
        aria-hidden
        data-tone={part < 0.2 ? "warn" : undefined}
        style={{ "--left": `${part * 100}%` } as CSSProperties}
      />
      <span className={css["words"]}>
        {left === 0 ? "closes now" : formatMs(left < 1000 ? left : Math.round(left / 1000) * 1000)}
      </span>
    </span>
  )
}
