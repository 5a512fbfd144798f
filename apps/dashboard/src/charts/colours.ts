/** The theme's colours as a canvas takes them. */

export interface Colours {
  readonly series: ReadonlyArray<string>
  readonly text: string
  readonly grid: string
  readonly gap: string
}

/** Of lines, so that they differ without their colours. */
export const dashes: ReadonlyArray<ReadonlyArray<number>> = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 2]]

/** Whatever way a token is written, the browser says what colour it is. */
export const readColours = (element: Element): Colours => {
  const probe = document.createElement("span")
  probe.style.display = "none"
  element.append(probe)
  const resolve = (name: string): string => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  }
  const colours = {
    series: [1, 2, 3, 4, 5].map((number) => resolve(`--chart-${number}`)),
    text: resolve("--muted-foreground"),
    grid: resolve("--border"),
    gap: resolve("--gap"),
  }
  probe.remove()
  return colours
}

export const seriesColour = ({ series }: Colours, index: number): string =>
  series[index % series.length] ?? "gray"
export const seriesVariable = (index: number): string => `var(--chart-${(index % 5) + 1})`
