import type { CSSProperties, ReactNode } from "react"
import { formatMs } from "../text/format.ts"
import css from "./bars.module.css"

/**
 * Where a task's time went: waiting for its turn, running, or running with nothing of it going on. Milliseconds. One element
 * with the parts as its background, as a grid has many of them.
 */
export const SplitBar = ({
  queuedMs,
  runningMs,
  suspendedMs,
  words = "full",
}: {
  readonly queuedMs: number
  readonly runningMs: number
  readonly suspendedMs: number
  /** `hidden`: the parts are said but not shown, in a narrow cell. */
  readonly words?: "full" | "hidden" | undefined
}): ReactNode => {
  const whole = queuedMs + runningMs + suspendedMs
  const parts = [
    ["queued", queuedMs],
    ["running", runningMs],
    ["suspended", suspendedMs],
  ].flatMap(([part, ms]) => (typeof ms === "number" && ms > 0 ? [`${part} ${formatMs(ms)}`] : []))
  const text = parts.length === 0 ? "nothing yet" : parts.join(", ")
  const style = {
    "--queued": `${whole === 0 ? 0 : (queuedMs / whole) * 100}%`,
    "--ran": `${whole === 0 ? 100 : ((queuedMs + runningMs) / whole) * 100}%`,
  } as CSSProperties
  const bar = (
    <span
      className={`${css["track"]} ${css["split"]}`}
      data-empty={whole === 0 || undefined}
      style={style}
      role="img"
      aria-label={text}
      title={text}
    />
  )
  if (words === "hidden") return bar
  return (
    <span className={css["bar"]}>
      {bar}
      <span className={css["words"]} aria-hidden>
        {text}
      </span>
    </span>
  )
}
