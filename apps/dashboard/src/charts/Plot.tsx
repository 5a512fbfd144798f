import { useEffect, useId, useLayoutEffect, useRef, type KeyboardEvent, type ReactNode } from "react"
import uPlot from "uplot"
import { strokeOf } from "../keys/strokes.ts"
import { useSelected } from "../state/useStore.ts"
import { coloursChanged } from "../theme/theme.ts"
import { readColours, type Colours } from "./colours.ts"
import type { CursorStore } from "./cursor.tsx"
import { nearest } from "./data.ts"
import { drawNever, drawSoon } from "./drawing.ts"
import css from "./Plot.module.css"

export interface PlotSetup {
  readonly series: ReadonlyArray<uPlot.Series>
  readonly axes: ReadonlyArray<uPlot.Axis>
  readonly scales: uPlot.Scales
  readonly bands?: ReadonlyArray<uPlot.Band> | undefined
  readonly hooks?: uPlot.Hooks.Arrays | undefined
}

export interface PlotProps {
  /** Of the chart. */
  readonly label: string
  readonly data: uPlot.AlignedData
  readonly xs: ReadonlyArray<number>
  readonly height: number
  readonly cursor: CursorStore
  /** With another shape the chart is made anew; with other data it is not. */
  readonly shape: string
  /** Called when it is made. `colours` gives those of the theme of the moment. */
  readonly setup: (colours: () => Colours) => PlotSetup
  /** What stands at a place, in words. */
  readonly words: (index: number) => string
}

/** How many charts were made since the page was loaded: updating one makes none. */
export const made = { plots: 0 }

const width = (element: HTMLElement): number => Math.max(80, Math.floor(element.clientWidth))

/** A uPlot that lives as long as its shape: data, size, theme and cursor change in place. */
export const Plot = ({ label, data, xs, height, cursor, shape, setup, words }: PlotProps): ReactNode => {
  const holder = useRef<HTMLDivElement>(null)
  const drawn = useRef<{ readonly draw: () => void } | undefined>(undefined)
  const latest = useRef({ data, xs, setup })
  const hint = useId()
  useLayoutEffect(() => {
    latest.current = { data, xs, setup }
  })

  useLayoutEffect(() => {
    const element = holder.current
    if (element === null) return
    let colours = readColours(element)
    const { series, axes, scales, bands, hooks } = latest.current.setup(() => colours)
    made.plots += 1
    const pointed = (u: uPlot) => {
      // Set by us, it is in the store already; by the pointer, it goes there.
      if (u.cursor.event === undefined) return
      const { idx, left } = u.cursor
      const at = idx == null || left === undefined || left < 0 ? undefined : latest.current.xs[idx]
      cursor.set(at)
    }
    const instance = new uPlot(
      {
        width: width(element),
        height,
        ms: 1,
        series: [...series],
        axes: [...axes],
        scales,
        ...(bands === undefined ? {} : { bands: [...bands] }),
        legend: { show: false },
        cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 6 } },
        hooks: { ...hooks, setCursor: [pointed] },
      },
      latest.current.data,
      element,
    )
    let shown = latest.current.data
    let inView = true
    const draw = () => {
      const { data: next, xs: places } = latest.current
      // What nobody sees is drawn when it comes into view.
      if (!inView || next === shown) return
      shown = next
      instance.setData(next)
      place(instance, places, cursor.get())
    }
    drawn.current = { draw }
    const watcher = new IntersectionObserver(([entry]) => {
      inView = entry?.isIntersecting !== false
      if (inView) drawSoon(draw)
    })
    watcher.observe(element)
    const show = () => place(instance, latest.current.xs, cursor.get())
    const unfollow = cursor.subscribe(show)
    const recolour = coloursChanged.subscribe(() => {
      colours = readColours(element)
      instance.redraw(false, true)
    })
    const observer = new ResizeObserver(() => {
      const wide = width(element)
      if (wide !== instance.width) instance.setSize({ width: wide, height })
    })
    observer.observe(element)
    return () => {
      watcher.disconnect()
      observer.disconnect()
      unfollow()
      recolour()
      drawNever(draw)
      instance.destroy()
      drawn.current = undefined
    }
  }, [shape, height, cursor])

  useLayoutEffect(() => {
    if (drawn.current !== undefined) drawSoon(drawn.current.draw)
  }, [data])

  const index = useSelected(cursor, (at) => (at === undefined ? undefined : nearest(xs, at)))
  const last = xs.length - 1
  const now = index ?? last
  const pressed = (event: KeyboardEvent) => {
    const stroke = strokeOf(event)
    const to: Readonly<Record<string, number>> = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageUp: now + 10,
      PageDown: now - 10,
      Home: 0,
      End: last,
    }
    const next = stroke === undefined ? undefined : to[stroke]
    if (next !== undefined && last >= 0) {
      event.preventDefault()
      cursor.set(xs[Math.max(0, Math.min(last, next))])
    } else if (stroke === "Escape" && index !== undefined) {
      event.preventDefault()
      cursor.set(undefined)
    }
  }
  useEffect(() => () => cursor.set(undefined), [cursor])
  return (
    <div
      className={css["plot"]}
      role="slider"
      tabIndex={0}
      aria-label={`${label}: cursor`}
      aria-describedby={hint}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={Math.max(0, now)}
      aria-valuetext={last < 0 ? "nothing yet" : words(now)}
      onKeyDown={pressed}
      onPointerLeave={() => cursor.set(undefined)}
      style={{ minHeight: height }}
    >
      <div ref={holder} aria-hidden className={css["canvas"]} />
      <span id={hint} className="sj-hidden">
        Left and right move the cursor, Escape takes it away.
      </span>
    </div>
  )
}

const place = (plot: uPlot, xs: ReadonlyArray<number>, at: number | undefined): void => {
  const index = at === undefined ? -1 : nearest(xs, at)
  const x = xs[index]
  const left = x === undefined ? -10 : plot.valToPos(x, "x")
  // uPlot remembers the last event, and would take this for the pointer's.
  delete plot.cursor.event
  plot.setCursor({ left, top: x === undefined ? -10 : 0 }, false)
}
