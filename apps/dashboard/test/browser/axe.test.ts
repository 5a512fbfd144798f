/** axe finds nothing, with its best practices too: in every page, both themes, wide and narrow, with everything open. */
import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { workbench } from "./support/bench.ts"
import { violations } from "./support/visit.ts"

const { open } = workbench()

/** High enough for all there is: axe does not judge the contrast of what is scrolled away. */
const heightOf = (path: string): number => (path.startsWith("/sessions") ? 800 : 4000)

const pages: ReadonlyArray<readonly [path: string, ready: (page: Page) => Promise<unknown>]> = [
  ["/charts", (page) => page.getByRole("slider").nth(4).waitFor()],
  ["/sessions", (page) => page.locator("[data-row='5'] a").waitFor()],
  ["/parts", (page) => page.getByRole("heading", { name: "Parts" }).waitFor()],
  ["/config", (page) => page.getByRole("heading", { name: "Keyboard" }).waitFor()],
  ["/failing", (page) => page.locator("[data-part=failed-view]").waitFor()],
]
const opened: ReadonlyArray<readonly [what: string, path: string, open: (page: Page) => Promise<unknown>]> = [
  [
    "palette",
    "/parts",
    (page) =>
      page.keyboard
        .press("Control+k")
        .then(() => page.locator("[data-part=palette]").getByRole("option").first().waitFor()),
  ],
  ["help", "/sessions", (page) => page.keyboard.press("?").then(() => page.getByRole("dialog").waitFor())],
  ["confirm", "/parts", (page) => page.getByRole("button", { name: "Confirm with name" }).click()],
  [
    "toasts",
    "/parts",
    async (page) => {
      for (const name of ["Toast", "Good toast", "Bad toast"])
        await page.getByRole("button", { name, exact: true }).click()
    },
  ],
  ["columns", "/sessions", (page) => page.getByRole("button", { name: "Columns" }).click()],
  [
    "selected rows",
    "/sessions",
    async (page) => {
      await page.locator("[data-row='5'] a").waitFor()
      for (const key of ["j", "x", "ArrowDown", "x"]) await page.keyboard.press(key)
    },
  ],
  [
    "changed rows",
    "/sessions",
    async (page) => {
      await page.locator("[data-row='5'] a").waitFor()
      await page.keyboard.press("j")
      await page.evaluate(() => window.workbench.tick(60))
      await page.locator("[data-part=apply]").waitFor()
    },
  ],
  [
    "tables",
    "/charts",
    async (page) => {
      for (const button of await page.getByRole("button", { name: "as a table" }).all()) await button.click()
    },
  ],
  ["none", "/sessions?q=nothing", (page) => page.getByText("No session matches.").waitFor()],
  ["paused", "/parts", (page) => page.getByRole("button", { name: "Pause" }).click()],
]

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test.each(pages)("%s", async (path, ready) => {
    for (const width of [1280, 360]) {
      const page = await open(path, { theme, width, height: heightOf(path), expected: /made to fail/u })
      await ready(page)
      expect(await violations(page)).toEqual([])
      // Nothing but what scrolls by itself is wider than the window (WCAG 1.4.10).
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0)
      await page.context().close()
    }
  })
  test.each(opened)("open: %s", async (_, path, act) => {
    const page = await open(path, { theme, width: theme === "light" ? 1280 : 360, height: heightOf(path) })
    await page.locator("[data-part=live][data-status=live]").waitFor()
    await act(page)
    expect(await violations(page)).toEqual([])
  })
})

test("the gate finds what it looks for", async () => {
  const page = await open("/parts", { height: heightOf("/parts") })
  await page.getByRole("heading", { name: "Parts" }).waitFor()
  await page.evaluate(() => {
    const bad = document.createElement("button")
    bad.style.color = "#ccc"
    bad.style.background = "#fff"
    document.querySelector("main")?.append(bad)
    const paragraph = document.createElement("p")
    paragraph.textContent = "hard to read"
    paragraph.style.color = "#bbb"
    document.querySelector("main")?.append(paragraph)
  })
  const found = (await violations(page)).map((line) => line.split(":")[0])
  expect(found).toContain("button-name")
  expect(found).toContain("color-contrast")
})

test("with reduced motion nothing moves by itself", async () => {
  const page = await open("/sessions", { reducedMotion: true })
  await page.locator("[data-row='5'] a").waitFor()
  const moving = await page.evaluate(
    () =>
      [...document.querySelectorAll("*")].filter((element) => {
        const { animationName, animationDuration, transitionDuration } = getComputedStyle(element)
        const long = (value: string) => value.split(",").some((each) => Number.parseFloat(each) > 0.001)
        return (animationName !== "none" && long(animationDuration)) || long(transitionDuration)
      }).length,
  )
  expect(moving).toBe(0)
})
