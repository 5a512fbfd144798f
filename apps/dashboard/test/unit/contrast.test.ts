/** Every pair of colours that meet, in both themes: 4.5 for text, 3 for what else has to be seen (WCAG 1.4.3, 1.4.11). */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const css = readFileSync(join(import.meta.dirname, "../../src/theme/tokens.css"), "utf8")

const tokensOf = (theme: "light" | "dark"): ReadonlyMap<string, string> => {
  const tokens = new Map<string, string>()
  for (const [, selector = "", body = ""] of css.matchAll(/:where\(([^{]*)\)\s*\{([^}]*)\}/gu))
    if (theme === "dark" || !selector.includes("dark"))
      for (const [, name = "", value = ""] of body.matchAll(/(--[\w-]+):\s*([^;]+);/gu))
        tokens.set(name, value)
  return tokens
}

const luminance = (hex: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => {
    const part = Number.parseInt(hex.slice(from, from + 2), 16) / 255
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
const contrast = (a: string, b: string): number => {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

const surfaces = ["background", "card", "popover", "muted", "sidebar", "accent"]
const marks = ["success", "warning", "info", "quiet", "destructive"]
const text: ReadonlyArray<readonly [string, string]> = [
  ...surfaces.flatMap((surface) =>
    ["foreground", "muted-foreground", "primary", ...marks].map((ink) => [ink, surface] as const),
  ),
  ["card-foreground", "card"],
  ["popover-foreground", "popover"],
  ["primary-foreground", "primary"],
  ["secondary-foreground", "secondary"],
  ["accent-foreground", "accent"],
  ["destructive-foreground", "destructive"],
  ["sidebar-foreground", "sidebar"],
]
const other: ReadonlyArray<readonly [string, string]> = [
  "background",
  "card",
  "popover",
  "muted",
  "sidebar",
].flatMap((surface) =>
  ["input", "ring", "chart-1", "chart-2", "chart-3", "chart-4", "chart-5"].map(
    (ink) => [ink, surface] as const,
  ),
)

describe.each(["light", "dark"] as const)("the %s theme", (theme) => {
  const tokens = tokensOf(theme)
  const between = (ink: string, surface: string): number => {
    const [a, b] = [tokens.get(`--${ink}`), tokens.get(`--${surface}`)]
    if (a === undefined || b === undefined) throw new Error(`no ${ink} or ${surface}`)
    return contrast(a, b)
  }
  const tooClose = (pairs: ReadonlyArray<readonly [string, string]>, least: number) =>
    pairs.flatMap(([ink, surface]) => {
      const found = between(ink, surface)
      return found >= least ? [] : [`${ink} on ${surface}: ${found.toFixed(2)}`]
    })
  it("has text that can be read", () => expect(tooClose(text, 4.5)).toEqual([]))
  it("has lines, borders and rings that can be seen", () => expect(tooClose(other, 3)).toEqual([]))
})

it("measures as the standard does", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5)
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2)
})
