import { useEffect, useMemo, type ReactNode } from "react"
import { SharedCursor } from "../../src/charts/cursor.tsx"
import type { TimeData } from "../../src/charts/data.ts"
import { Heatmap } from "../../src/charts/Heatmap.tsx"
import { Histogram } from "../../src/charts/Histogram.tsx"
import { TimeSeries } from "../../src/charts/TimeSeries.tsx"
import { Button } from "../../src/ui/Button.tsx"
import { choice } from "../../src/url/params.ts"
import { useParams } from "../../src/url/router.tsx"
import { useSelected } from "../../src/state/useStore.ts"
import type { Model } from "./model.ts"
import { renders, useBench } from "./bench.ts"
import { latencyBounds } from "./rows.ts"
import css from "./bench.module.css"

const ranges = ["30s", "2m"] as const
const params = { range: choice(ranges, "2m") }

/** The last so many points. */
const within = (
  { load, stall, latency }: Model,
  points: number,
): Pick<Model, "load" | "stall" | "latency"> => {
  const cut = ({ times, series }: TimeData): TimeData => ({
    times: times.slice(-points),
    series: series.map(({ id, label, values }) => ({ id, label, values: values.slice(-points) })),
  })
  const { times, bounds, counts } = latency
  return {
    load: cut(load),
    stall: cut(stall),
    latency: { times: times.slice(-points), bounds, counts: counts.slice(-points) },
  }
}

export const Charts = (): ReactNode => {
  useEffect(() => {
    renders.count += 1
  })
  const { live } = useBench()
  const [{ range }, set] = useParams(params)
  const model = useSelected(live, ({ state }) => state)
  const { load, stall, latency } = useMemo(() => (range === "2m" ? model : within(model, 30)), [model, range])
  const gaps = useSelected(live, (view) => view.gaps)
  const counts = [...latencyBounds, 0].map((_, bucket) =>
    latency.counts.reduce((sum, column) => sum + (column?.[bucket] ?? 0), 0),
  )
  return (
    <SharedCursor>
      <div className={css["tools"]}>
        <h1>Charts</h1>
        {ranges.map((each) => (
          <Button key={each} pressed={range === each} onPress={() => set({ range: each })}>
            {each}
          </Button>
        ))}
      </div>
      <div className={css["charts"]}>
        <TimeSeries title="Tasks by state" unit="count" data={load} gaps={gaps} stack />
        <TimeSeries title="Tasks" unit="count" data={load} gaps={gaps} />
        <TimeSeries title="Loop stall" unit="ms" data={stall} gaps={gaps} />
        <Heatmap title="Task latency" unit="ms" data={latency} />
        <Histogram title="All latencies" unit="ms" data={{ bounds: latencyBounds, counts }} />
      </div>
    </SharedCursor>
  )
}
