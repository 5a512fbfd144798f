import { useMemo, useRef, useLayoutEffect, type ReactNode } from "react"
import type uPlot from "uplot"
import { formatClock, formatIn, type Unit } from "../text/format.ts"
import { drawGaps, fromZero, timeAxis, valueAxis } from "./axes.ts"
import { ChartFrame } from "./ChartFrame.tsx"
import { dashes, seriesColour, type Colours } from "./colours.ts"
import { useCursor } from "./cursor.tsx"
import { stacked, summaryOfAll, type TimeData, type Value } from "./data.ts"
import { Legend } from "./Legend.tsx"
import { Plot, type PlotSetup } from "./Plot.tsx"

export interface TimeSeriesProps {
  readonly title: string
  readonly unit: Unit
  /** The same object until it changes. */
  readonly data: TimeData
  /** Each series on top of the others: of parts of a whole. */
  readonly stack?: boolean | undefined
  /** Times that nothing is known of. */
  readonly gaps?: ReadonlyArray<{ readonly from: number; readonly to: number }> | undefined
  readonly height?: number | undefined
}

const noGaps: ReadonlyArray<never> = []

/** Values over time. A null is a gap in the line. */
export const TimeSeries = ({
  title,
  unit,
  data,
  stack = false,
  gaps = noGaps,
  height = 180,
}: TimeSeriesProps): ReactNode => {
  const cursor = useCursor()
  const shownGaps = useRef(gaps)
  useLayoutEffect(() => {
    shownGaps.current = gaps
  })
  const { times, series } = data
  const aligned = useMemo((): uPlot.AlignedData => {
    const values = stack ? stacked(series) : series.map((each) => each.values)
    // The topmost is drawn first, so that those below stand before it.
    const columns = stack ? values.toReversed() : values
    return [mutable(times), ...columns.map(mutable)]
  }, [times, series, stack])
  const names = series.map(({ id, label }) => `${id}\n${label}`).join("\n")
  const setup = (colours: () => Colours): PlotSetup => {
    const lines = series.map((_, index): uPlot.Series => {
      const number = stack ? series.length - 1 - index : index
      return {
        stroke: () => seriesColour(colours(), number),
        width: 1.5,
        dash: [...(dashes[number % dashes.length] ?? [])],
        spanGaps: false,
        points: { show: false },
        ...(stack ? { fill: () => translucent(seriesColour(colours(), number)) } : {}),
      }
    })
    return {
      series: [{}, ...lines],
      axes: [timeAxis(colours), valueAxis(colours, unit)],
      scales: { x: { time: true }, y: { range: fromZero } },
      hooks: { drawClear: [drawGaps(colours, () => shownGaps.current)] },
      ...(stack
        ? {
            bands: series.slice(1).map((_, index): uPlot.Band => ({ series: [index + 1, index + 2] })),
          }
        : {}),
    }
  }
  const words = (index: number): string => {
    const time = times[index]
    const values = series.map(({ label, values: all }) => `${label} ${formatIn(unit, all[index])}`)
    return `${time === undefined ? "" : `${formatClock(time)}: `}${values.join(", ")}`
  }
  return (
    <ChartFrame
      title={title}
      summary={summaryOfAll(data, unit)}
      legend={<Legend data={data} unit={unit} cursor={cursor} />}
      table={{
        head: ["Time", ...series.map(({ label }) => label)],
        rows: () =>
          times
            .map((time, index) => [
              formatClock(time),
              ...series.map(({ values }) => formatIn(unit, values[index])),
            ])
            .toReversed(),
      }}
    >
      <Plot
        label={title}
        data={aligned}
        xs={times}
        height={height}
        cursor={cursor}
        shape={`${names}\n${stack}\n${unit}`}
        setup={setup}
        words={words}
      />
    </ChartFrame>
  )
}

/** uPlot only reads it. */
const mutable = <T extends Value>(values: ReadonlyArray<T>): Array<T> => values as Array<T>

const translucent = (colour: string): string => `color-mix(in srgb, ${colour} 30%, transparent)`
