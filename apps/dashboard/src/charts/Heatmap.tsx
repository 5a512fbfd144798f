import { useMemo, useRef, useLayoutEffect, type ReactNode } from "react"
import type uPlot from "uplot"
import { formatClock, formatCount, formatIn, type Unit } from "../text/format.ts"
import { axis, axisText, timeAxis } from "./axes.ts"
import { ChartFrame } from "./ChartFrame.tsx"
import { seriesColour, type Colours } from "./colours.ts"
import { useCursor } from "./cursor.tsx"
import { bucketName, quantileBucket } from "./data.ts"
import { cells, levels } from "./heat.ts"
import { Plot, type PlotSetup } from "./Plot.tsx"

export interface HeatmapData {
  /** Epoch milliseconds, rising, evenly apart. */
  readonly times: ReadonlyArray<number>
  /** Upper end of each bucket but the last, which has none. */
  readonly bounds: ReadonlyArray<number>
  /** For each time its counts, one more than bounds; null: nothing is known. */
  readonly counts: ReadonlyArray<ReadonlyArray<number> | null>
}

/** How many there were of each length, over time: a second mode shows as a second band, which no percentile would show. */
export const Heatmap = ({
  title,
  unit,
  data,
  height = 200,
}: {
  readonly title: string
  readonly unit: Unit
  readonly data: HeatmapData
  readonly height?: number | undefined
}): ReactNode => {
  const cursor = useCursor()
  const latest = useRef(data)
  useLayoutEffect(() => {
    latest.current = data
  })
  const { times, bounds, counts } = data
  // The values are those of the marks of the cursor, of which there are none: what is drawn is read from `latest`.
  const aligned = useMemo((): uPlot.AlignedData => [[...times], counts.map(() => null)], [times, counts])
  const setup = (colours: () => Colours): PlotSetup => ({
    series: [
      {},
      {
        paths: (plot, _series, from, to) => {
          draw(plot, latest.current, from, to, seriesColour(colours(), 0))
          return null
        },
        points: { show: false },
      },
    ],
    axes: [
      timeAxis(colours),
      axis(colours, {
        size: 64,
        space: 18,
        splits: () => latest.current.bounds.map((_, index) => index + 1),
        filter: (plot, splits) => {
          const every = Math.ceil((splits.length * 18) / Math.max(18, plot.bbox.height / devicePixelRatio))
          return splits.map((value, index) => (index % every === 0 ? value : null))
        },
        values: (_, splits) =>
          splits.map((value) => (value == null ? "" : axisText(unit, latest.current.bounds[value - 1] ?? 0))),
        grid: { show: false },
      }),
    ],
    scales: {
      x: { time: true, range: (_, least, most) => paddedRange(latest.current.times, least, most) },
      y: { range: () => [0, latest.current.bounds.length + 1] },
    },
  })
  const words = (index: number): string => {
    const time = times[index]
    const at = counts[index]
    const when = time === undefined ? "" : `${formatClock(time)}: `
    if (at == null) return `${when}nothing known`
    const all = at.reduce((sum, count) => sum + count, 0)
    const half = quantileBucket(at, 0.5)
    const slowest = at.findLastIndex((count) => count > 0)
    if (half === undefined) return `${when}none`
    return `${when}${formatCount(all)}, half ${bucketName(bounds, half, unit)}, slowest ${bucketName(bounds, slowest, unit)}`
  }
  const known = counts.filter((each) => each !== null)
  const sums = bounds.concat(0).map((_, bucket) => known.reduce((sum, each) => sum + (each[bucket] ?? 0), 0))
  const all = sums.reduce((sum, count) => sum + count, 0)
  const half = quantileBucket(sums, 0.5)
  const slow = quantileBucket(sums, 0.99)
  const summary =
    half === undefined || slow === undefined
      ? "None yet."
      : `${formatIn("count", all)} in ${known.length} steps; half ${bucketName(bounds, half, unit)}, one of 100 took ${bucketName(bounds, slow, unit)}. A stronger colour is more.`
  return (
    <ChartFrame
      title={title}
      summary={summary}
      table={{
        head: ["Time", ...bounds.concat(0).map((_, bucket) => bucketName(bounds, bucket, unit))],
        rows: () =>
          times
            .map((time, index) => [
              formatClock(time),
              ...bounds.concat(0).map((_, bucket) => formatIn("count", counts[index]?.[bucket])),
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
        shape={`${unit} ${bounds.join()}`}
        setup={setup}
        words={words}
      />
    </ChartFrame>
  )
}

/** Half a step of room on both sides, so that the outer cells are whole. */
const paddedRange = (times: ReadonlyArray<number>, least: number, most: number): uPlot.Range.MinMax => {
  const step = stepOf(times)
  return [(times[0] ?? least) - step / 2, (times.at(-1) ?? most) + step / 2]
}
const stepOf = (times: ReadonlyArray<number>): number => Math.max(1, (times[1] ?? 1000) - (times[0] ?? 0))

/** One path for each shade, so that thousands of cells are a dozen strokes of the brush. */
const draw = (plot: uPlot, data: HeatmapData, from: number, to: number, colour: string): void => {
  const { ctx, bbox } = plot
  const step = stepOf(data.times)
  const wide = Math.max(1, Math.abs(plot.valToPos(step, "x", true) - plot.valToPos(0, "x", true)))
  const high = bbox.height / (data.bounds.length + 1)
  const paths = Array.from({ length: levels }, () => new Path2D())
  for (const { time, bucket, level } of cells(data.counts, from, to)) {
    const at = data.times[time]
    if (at === undefined) continue
    const left = plot.valToPos(at, "x", true) - wide / 2
    const top = bbox.top + bbox.height - (bucket + 1) * high
    paths[level]?.rect(Math.round(left), Math.round(top), Math.ceil(wide), Math.max(1, Math.floor(high) - 1))
  }
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.fillStyle = colour
  for (const [level, path] of paths.entries()) {
    ctx.globalAlpha = 0.14 + (0.86 * level) / (levels - 1)
    ctx.fill(path)
  }
  ctx.restore()
}
