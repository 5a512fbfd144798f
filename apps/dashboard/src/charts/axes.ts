import type uPlot from "uplot"
import { formatClock, formatCompact, formatIn, type Unit } from "../text/format.ts"
import type { Colours } from "./colours.ts"

const font = "11px system-ui, sans-serif"

/** Short, as there is little room. */
export const axisText = (unit: Unit, value: number): string =>
  unit === "count" || unit === "perSecond" ? formatCompact(value) : formatIn(unit, value)

export const axis = (colours: () => Colours, rest: uPlot.Axis): uPlot.Axis => ({
  stroke: () => colours().text,
  font,
  grid: { stroke: () => colours().grid, width: 1 },
  ticks: { stroke: () => colours().grid, width: 1, size: 4 },
  gap: 4,
  ...rest,
})

export const timeAxis = (colours: () => Colours): uPlot.Axis =>
  axis(colours, {
    space: 70,
    size: 30,
    values: (_, splits) => splits.map((at) => formatClock(at)),
  })

/** Wide enough for its longest label. */
export const valueAxis = (colours: () => Colours, unit: Unit): uPlot.Axis =>
  axis(colours, {
    space: 32,
    size: (_, values) => 16 + 6.5 * Math.max(2, ...(values ?? []).map((value) => value?.length ?? 0)),
    values: (_, splits) => splits.map((value) => axisText(unit, value)),
  })

/** From 0, and with room above; a constant 0 is a line at the bottom. */
export const fromZero: uPlot.Range.Function = (_, least, most) => {
  if (least === null || most === null || !Number.isFinite(most)) return [0, 1]
  return [Math.min(0, least), most <= 0 ? 1 : most * 1.1]
}

/** Times that nothing is known of, as a shade behind the lines. */
export const drawGaps =
  (colours: () => Colours, gaps: () => ReadonlyArray<{ readonly from: number; readonly to: number }>) =>
  (plot: uPlot): void => {
    const { ctx, bbox } = plot
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    ctx.fillStyle = colours().gap
    ctx.globalAlpha = 0.3
    for (const { from, to } of gaps()) {
      const left = plot.valToPos(from, "x", true)
      const right = plot.valToPos(to, "x", true)
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height)
    }
    ctx.restore()
  }
