/** Numbers for people. English and fixed, so that what a colleague reads aloud is what you see. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 })
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 })

/** With thousands parted: `12,345`. */
export const formatCount = (value: number): string => whole.format(value)

/** For axes and narrow places: `12.3K`. */
export const formatCompact = (value: number): string => compact.format(value)

/** Milliseconds as two units at most: `0.4 ms`, `850 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export const formatMs = (ms: number): string => {
  if (!Number.isFinite(ms)) return "–"
  if (ms < 0) return `−${formatMs(-ms)}`
  if (ms < 999.5) return `${short.format(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 59.95) return `${(Math.round(seconds * 10) / 10).toString()} s`
  const total = Math.round(seconds)
  if (total < 3600) return two(Math.floor(total / 60), "min", total % 60, "s")
  const minutes = Math.round(total / 60)
  if (minutes < 1440) return two(Math.floor(minutes / 60), "h", minutes % 60, "min")
  const hours = Math.round(minutes / 60)
  return two(Math.floor(hours / 24), "d", hours % 24, "h")
}

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0
    ? `${whole.format(large)} ${largeUnit}`
    : `${whole.format(large)} ${largeUnit} ${small} ${smallUnit}`

export const formatBytes = (bytes: number): string => {
  if (!Number.isFinite(bytes)) return "–"
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? whole.format(value) : short.format(value)} ${units[unit] ?? ""}`
}

/** A ratio of 0 to 1. */
export const formatRatio = (ratio: number): string =>
  Number.isFinite(ratio) ? `${short.format(ratio * 100)} %` : "–"

/** How the values of a chart or a column are written. */
export type Unit = "count" | "ms" | "bytes" | "ratio" | "perSecond"

export const formatIn = (unit: Unit, value: number | null | undefined): string => {
  if (value === null || value === undefined || Number.isNaN(value)) return "–"
  switch (unit) {
    case "count":
      return Number.isInteger(value) ? formatCount(value) : short.format(value)
    case "ms":
      return formatMs(value)
    case "bytes":
      return formatBytes(value)
    case "ratio":
      return formatRatio(value)
    case "perSecond":
      return `${short.format(value)}/s`
  }
}

const clock = new Intl.DateTimeFormat("en", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
})
const day = new Intl.DateTimeFormat("en", { year: "numeric", month: "short", day: "numeric" })

/** The time of day, where you are: `14:03:09`. */
export const formatClock = (at: number): string => clock.format(at)
/** Day and time, where you are. */
export const formatMoment = (at: number): string => `${day.format(at)} ${clock.format(at)}`
