/** The past, as it is asked for and sent. */
import type { History } from "../history/History.ts"
import { HistoryRefused } from "../history/read.ts"
import type { HeatmapQuery, SeriesQuery } from "../protocol/events.ts"
import { Refusal } from "../safety/Refusal.ts"

const refusedAs400 = <A>(read: () => A): A => {
  try {
    return read()
  } catch (error) {
    if (error instanceof HistoryRefused) throw new Refusal("bad-request", { detail: error.message })
    throw error
  }
}
const time = ({ from, kind, points, stepMs, to }: Omit<HeatmapQuery, "span">) => ({
  from,
  to,
  step: stepMs,
  points,
  kinds: kind,
})
export const seriesOnWire = (history: History, query: SeriesQuery): unknown =>
  refusedAs400(() => history.series({ ...time(query), names: query.name, together: query.together }))
export const heatmapOnWire = (history: History, query: HeatmapQuery): unknown =>
  refusedAs400(() => history.heatmap({ ...time(query), span: query.span }))
