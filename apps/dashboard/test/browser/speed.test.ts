/**
 * What 100 000 sessions cost the page, of which one in a hundred changes with each of ten frames a second: work of the main
 * thread for each picture, and heap. Work is processor time of that thread, which others on the machine do not change much.
 */
import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { workbenchFolder } from "./support/built.ts"
import { workbench } from "./support/bench.ts"
import { serve } from "./support/serve.ts"
import { frameWork, heapOf, type FrameWork } from "./support/measure.ts"
import { visit } from "./support/visit.ts"

const { browser } = workbench()

const report = (what: string, figures: Readonly<Record<string, number>>) =>
  console.info(
    `${what}: ${Object.entries(figures)
      .map(([name, value]) => `${name} ${Math.round(value * 100) / 100}`)
      .join(", ")}`,
  )

const opened = async (url: string, hash: string): Promise<Page> => {
  const page = await visit(browser(), `${url}?rows=100000&every=100#${hash}`)
  await page.locator("[data-part=live][data-status=live]").waitFor()
  return page
}

/** What is aimed at is 8 ms at p95. Times are for who reads them: processors that others share make them larger. */
const measured = async (what: string, measure: () => Promise<FrameWork>): Promise<FrameWork> => {
  const work = await measure()
  report(what, work)
  return work
}

test("a grid that is scrolled while its rows change", async () => {
  await using served = await serve(workbenchFolder)
  const page = await opened(served.url, "/sessions")
  await page.locator("[data-row='5'] a").waitFor()
  await page.mouse.move(640, 500)
  const scroll = async () => {
    for (let step = 0; step < 90; step += 1) {
      // A turn of the wheel for each picture, and now and then a leap to rows that have not come.
      await page.mouse.wheel(0, step % 30 === 29 ? 2000 : 120)
      await page.waitForTimeout(16)
    }
  }
  await scroll()
  const work = await measured("grid, scrolled", () => frameWork(page, scroll))
  const heap = await heapOf(page)
  report("grid, scrolled", { heapMB: heap })
  expect(await page.getByRole("grid").evaluate((element) => element.scrollTop)).toBeGreaterThan(10_000)
  expect(work.frames).toBeGreaterThan(50)
  expect(heap).toBeLessThanOrEqual(60)
})

test("a grid that is only looked at", async () => {
  await using served = await serve(workbenchFolder)
  const page = await opened(served.url, "/sessions")
  await page.locator("[data-row='5'] a").waitFor()
  await page.waitForTimeout(1500)
  const work = await measured("grid, looked at", () => frameWork(page, () => page.waitForTimeout(3000)))
  expect(work.frames).toBeGreaterThan(8)
})

test("five charts of 120 points, ten times a second", async () => {
  await using served = await serve(workbenchFolder)
  const page = await opened(served.url, "/charts")
  await page.getByRole("slider").nth(4).waitFor()
  await page.waitForTimeout(1500)
  const work = await measured("charts", () => frameWork(page, () => page.waitForTimeout(3000)))
  const heap = await heapOf(page)
  report("charts", { heapMB: heap })
  expect(work.frames).toBeGreaterThan(8)
  expect(heap).toBeLessThanOrEqual(60)
})

test("going round keeps nothing: pages that were left are gone", async () => {
  await using served = await serve(workbenchFolder)
  const page = await opened(served.url, "/charts")
  const round = async (times: number) => {
    for (let turn = 0; turn < times; turn += 1)
      for (const [key, ready] of [
        ["t", "[role=slider]"],
        ["s", "[data-row='5'] a"],
        ["p", "section[aria-label=Names]"],
      ] as const) {
        await page.keyboard.press("g")
        await page.keyboard.press(key)
        await page.locator(ready).first().waitFor()
      }
  }
  await round(4)
  const before = await heapOf(page)
  await round(12)
  const after = await heapOf(page)
  report("going round", { beforeMB: before, afterMB: after })
  expect(after - before).toBeLessThanOrEqual(2)
})
