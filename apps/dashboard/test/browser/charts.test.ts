/** Charts: their cursor, their words, their table; and that an update makes none anew. */
import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { workbench } from "./support/bench.ts"
import { counts, tick } from "./support/visit.ts"

const { open } = workbench()

const opened = async (options: Parameters<typeof open>[1] = {}): Promise<Page> => {
  const page = await open("/charts", options)
  await page.getByRole("slider").nth(4).waitFor()
  await expect.poll(async () => (await values(page))[0]).toMatch(/running \d+/u)
  return page
}
const values = (page: Page): Promise<ReadonlyArray<string>> =>
  page.getByRole("slider").evaluateAll((all) => all.map((each) => each.getAttribute("aria-valuetext") ?? ""))
/** What is drawn, as text to compare. */
const picture = (page: Page, index: number): Promise<string> =>
  page.evaluate((number) => document.querySelectorAll("canvas")[number]?.toDataURL() ?? "", index)

test("new data changes what is drawn and said, and no chart is made anew", async () => {
  const page = await opened({ height: 1200 })
  const before = await counts(page)
  const drawn = await Promise.all([0, 1, 2, 3, 4].map((index) => picture(page, index)))
  for (let step = 0; step < 5; step += 1) await tick(page)
  const after = await counts(page)
  expect(after["plots"]).toBe(before["plots"])
  await expect
    .poll(async () =>
      (await Promise.all([0, 1, 2, 3, 4].map((index) => picture(page, index)))).map(
        (each, index) => each !== drawn[index],
      ),
    )
    .toEqual([true, true, true, true, true])
  // Twice in development, once here: what is rendered is rendered once for a frame.
  expect((after["renders"] ?? 0) - (before["renders"] ?? 0)).toBe(5)
})

test("a chart that is scrolled away is drawn when it comes into view", async () => {
  const page = await opened({ height: 500 })
  const last = await picture(page, 4)
  for (let step = 0; step < 3; step += 1) await tick(page)
  await expect.poll(() => picture(page, 0)).not.toBe("")
  expect(await picture(page, 4)).toBe(last)
  await page.locator("canvas").nth(4).scrollIntoViewIfNeeded()
  await expect.poll(() => picture(page, 4)).not.toBe(last)
})

test("frames that come faster than pictures are rendered once for a picture", async () => {
  const page = await opened()
  const [frames, renders] = await page.evaluate(async () => {
    const { workbench: bench } = window
    const before = bench.counts()
    for (let step = 0; step < 200; step += 1) bench.server.say({ say: "tick", steps: 1 })
    let pictures = 0
    while ((bench.counts()["frames"] ?? 0) < (before["frames"] ?? 0) + 200) {
      await new Promise((resolve) => requestAnimationFrame(resolve))
      pictures += 1
    }
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)))
    const after = bench.counts()
    return [
      (after["frames"] ?? 0) - (before["frames"] ?? 0),
      (after["renders"] ?? 0) - (before["renders"] ?? 0) - pictures,
    ]
  })
  expect(frames).toBeGreaterThanOrEqual(200)
  expect(renders).toBeLessThanOrEqual(1)
})

test("the keyboard moves one cursor in all charts of time, and says what stands there", async () => {
  const page = await opened()
  const cursors = () =>
    page
      .locator(".u-cursor-x")
      .evaluateAll((all) => all.map((each) => new DOMMatrix(getComputedStyle(each).transform).e))
  const slider = page.getByRole("slider", { name: "Tasks: cursor" })
  await slider.focus()
  await page.keyboard.press("Home")
  const [first] = await values(page)
  await page.keyboard.press("ArrowRight")
  const [second, other, stall, heat] = await values(page)
  expect(second).not.toBe(first)
  expect(second).toBe(other)
  const clock = second?.slice(0, 8) ?? "?"
  expect(stall?.startsWith(clock)).toBe(true)
  expect(heat?.startsWith(clock)).toBe(true)
  const [a = 0, b = 0, c = 0] = await cursors()
  await page.keyboard.press("PageUp")
  const moved = await cursors()
  expect(
    [moved[0] ?? 0, moved[1] ?? 0, moved[2] ?? 0].map((each, index) => each > ([a, b, c][index] ?? 0)),
  ).toEqual([true, true, true])
  // It stays at its time while the data moves on.
  const [at] = await values(page)
  await tick(page)
  expect((await values(page))[0]).toBe(at)
  await page.keyboard.press("Escape")
  await expect
    .poll(() => page.locator(".u-cursor-x").evaluateAll((all) => all.every((each) => each.checkVisibility())))
    .toBe(false)
  expect(await slider.getAttribute("aria-valuenow")).toBe(await slider.getAttribute("aria-valuemax"))
})

test("the pointer does the same", async () => {
  const page = await opened()
  await page
    .locator(".u-over")
    .first()
    .hover({ position: { x: 120, y: 40 } })
  await expect
    .poll(async () => new Set((await values(page)).slice(0, 3).map((text) => text.slice(0, 8))).size)
    .toBe(1)
  const latest = await page.evaluate(() => window.workbench.live.get().state.points.length)
  expect(latest).toBe(120)
  const [text = ""] = await values(page)
  await page.mouse.move(5, 5)
  await expect.poll(async () => (await values(page))[0]).not.toBe(text)
})

test("what is not known is a gap, in the line and in words", async () => {
  const page = await opened()
  const text = await page.getByRole("figure", { name: "Loop stall" }).locator("figcaption").textContent()
  expect(text).toMatch(/\d gaps?/u)
  const slider = page.getByRole("slider", { name: "Task latency: cursor" })
  await slider.focus()
  const said: Array<string> = []
  await page.keyboard.press("Home")
  for (let step = 0; step < 119; step += 1) {
    said.push((await slider.getAttribute("aria-valuetext")) ?? "")
    await page.keyboard.press("ArrowRight")
  }
  expect(said.some((each) => each.endsWith("nothing known"))).toBe(true)
  expect(said.some((each) => each.includes("slowest"))).toBe(true)
})

test("each is a table too", async () => {
  const page = await opened()
  await page.getByRole("button", { name: "Tasks by state as a table" }).press("Enter")
  const table = page.getByRole("region", { name: "Tasks by state, table" })
  expect(await table.locator("thead th").allTextContents()).toEqual([
    "Time",
    "running",
    "queued",
    "suspended",
  ])
  expect(await table.locator("tbody tr").count()).toBe(120)
  await page.getByRole("button", { name: "Task latency as a table" }).press("Enter")
  await page.getByRole("region", { name: "Task latency, table" }).getByText("1 ms to 2 ms").waitFor()
  await page.getByRole("button", { name: "All latencies as a table" }).press("Enter")
  await page.getByRole("region", { name: "All latencies, table" }).getByText("up to 1 ms").waitFor()
})

test("another theme recolours what is drawn, and another width refits it", async () => {
  const page = await opened()
  const before = await counts(page)
  const light = await picture(page, 0)
  await page.getByRole("combobox", { name: "Theme" }).selectOption("dark")
  await expect.poll(() => picture(page, 0)).not.toBe(light)
  await page.setViewportSize({ width: 700, height: 800 })
  await expect
    .poll(() =>
      page
        .locator("canvas")
        .first()
        .evaluate((canvas) => canvas.getBoundingClientRect().right),
    )
    .toBeLessThanOrEqual(700)
  expect((await counts(page))["plots"]).toBe(before["plots"])
})

test("what range is shown is in the address", async () => {
  const page = await opened()
  await page.getByRole("button", { name: "30s" }).click()
  expect(new URL(page.url()).hash).toBe("#/charts?range=30s")
  await expect.poll(() => page.getByRole("slider").first().getAttribute("aria-valuemax")).toBe("29")
  await page.goBack()
  await expect.poll(() => page.getByRole("slider").first().getAttribute("aria-valuemax")).toBe("119")
})
