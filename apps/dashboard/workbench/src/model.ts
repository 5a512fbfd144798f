/** What the workbench's frames add up to. */
import type { Frame } from "../../src/live/Source.ts"
import { reuse } from "../../src/live/reuse.ts"
import type { RowWindow } from "../../src/grid/rows.ts"
import type { TimeData } from "../../src/charts/data.ts"
import type { HeatmapData } from "../../src/charts/Heatmap.tsx"
import { latencyBounds, type Delta, type Point, type SessionRow, type State } from "./rows.ts"

export interface Model {
  readonly window: RowWindow<SessionRow> | undefined
  readonly facets: Readonly<Record<State, number>> | undefined
  readonly points: ReadonlyArray<Point>
  readonly load: TimeData
  readonly stall: TimeData
  readonly latency: HeatmapData
}

const chartsOf = (points: ReadonlyArray<Point>): Pick<Model, "points" | "load" | "stall" | "latency"> => {
  const times = points.map(({ at }) => at)
  return {
    points,
    load: {
      times,
      series: [
        { id: "running", label: "running", values: points.map(({ running }) => running) },
        { id: "queued", label: "queued", values: points.map(({ queued }) => queued) },
        { id: "suspended", label: "suspended", values: points.map(({ suspended }) => suspended) },
      ],
    },
    stall: {
      times,
      series: [{ id: "stall", label: "longest stall", values: points.map(({ stallMs }) => stallMs) }],
    },
    latency: { times, bounds: latencyBounds, counts: points.map(({ latency }) => latency) },
  }
}

export const empty: Model = { window: undefined, facets: undefined, ...chartsOf([]) }

export const apply = (model: Model, { full, delta }: Frame<Delta>): Model => {
  const known = new Map(full ? [] : model.window?.rows.map((row) => [row.id, row]))
  // What a new connection sends again is the same row if nothing of it is another.
  const before = new Map(model.window?.rows.map((row) => [row.id, row]))
  for (const row of delta.rows) known.set(row.id, reuse(before.get(row.id), row))
  const order = delta.order ?? model.window?.rows.map(({ id }) => id) ?? []
  const points = full ? delta.points : [...model.points, ...delta.points].slice(-120)
  const same = points.length === model.points.length && points.at(-1)?.at === model.points.at(-1)?.at
  return {
    window: {
      total: delta.total ?? model.window?.total ?? 0,
      offset: delta.offset ?? model.window?.offset ?? 0,
      rows: order.flatMap((id) => known.get(id) ?? []),
    },
    facets: delta.facets ?? model.facets,
    ...(same
      ? { points: model.points, load: model.load, stall: model.stall, latency: model.latency }
      : chartsOf(points)),
  }
}
