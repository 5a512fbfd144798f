import { useMemo, useState, type ReactNode } from "react"
import uPlot from "uplot"
import { Store } from "../state/Store.ts"
import { formatCount, type Unit } from "../text/format.ts"
import { axis, axisText, fromZero, valueAxis } from "./axes.ts"
import { ChartFrame } from "./ChartFrame.tsx"
import { seriesColour, type Colours } from "./colours.ts"
import { bucketName, summaryOfBuckets, type Buckets } from "./data.ts"
import { Plot, type PlotSetup } from "./Plot.tsx"

/** How many there were of each length. */
export const Histogram = ({
  title,
  unit,
  data,
  height = 160,
}: {
  readonly title: string
  readonly unit: Unit
  readonly data: Buckets
  readonly height?: number | undefined
}): ReactNode => {
  // Its axis is not time, so its cursor is its own.
  const [cursor] = useState(() => new Store<number | undefined>(undefined))
  const { bounds, counts } = data
  const xs = useMemo(() => Array.from({ length: bounds.length + 1 }, (_, index) => index), [bounds])
  const aligned = useMemo((): uPlot.AlignedData => [xs, xs.map((index) => counts[index] ?? 0)], [xs, counts])
  const setup = (colours: () => Colours): PlotSetup => ({
    series: [
      {},
      {
        ...bars,
        fill: () => seriesColour(colours(), 0),
        stroke: () => seriesColour(colours(), 0),
        points: { show: false },
      },
    ],
    axes: [
      axis(colours, {
        size: 30,
        space: 60,
        incrs: [1, 2, 3, 4, 5, 8, 10, 20],
        values: (_, splits) =>
          splits.map((index) => {
            const bound = bounds[index]
            return bound === undefined ? "" : `≤ ${axisText(unit, bound)}`
          }),
        grid: { show: false },
      }),
      valueAxis(colours, "count"),
    ],
    scales: { x: { time: false, range: [-0.6, bounds.length + 0.6] }, y: { range: fromZero } },
  })
  return (
    <ChartFrame
      title={title}
      summary={summaryOfBuckets(data, unit)}
      table={{
        head: ["Length", "Count"],
        rows: () => xs.map((index) => [bucketName(bounds, index, unit), formatCount(counts[index] ?? 0)]),
      }}
    >
      <Plot
        label={title}
        data={aligned}
        xs={xs}
        height={height}
        cursor={cursor}
        shape={`${unit} ${bounds.join()}`}
        setup={setup}
        words={(index) => `${bucketName(bounds, index, unit)}: ${formatCount(counts[index] ?? 0)}`}
      />
    </ChartFrame>
  )
}

const paths = uPlot.paths.bars?.({ size: [0.85, 80] })
const bars: uPlot.Series = paths === undefined ? {} : { paths }
