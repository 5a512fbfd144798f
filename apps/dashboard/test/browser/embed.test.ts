/** A view inside somebody else's page: in its colours, and with no hand on what is not its own. */
import { afterAll, beforeAll, expect, test } from "vitest"
import type { Browser, Page } from "playwright-core"
import { workbenchFolder } from "./support/built.ts"
import { serve, type Served } from "./support/serve.ts"
import { launch, violations, visit } from "./support/visit.ts"

let browser: Browser
let served: Served
beforeAll(async () => {
  ;[browser, served] = await Promise.all([launch(), serve(workbenchFolder)])
}, 60_000)
afterAll(async () => {
  await browser.close()
  await served[Symbol.asyncDispose]()
})
const opened = async (): Promise<Page> => {
  const page = await visit(browser, `${served.url}embed.html`)
  await page.locator("[data-row='3'] a").waitFor()
  return page
}

test("it has the page's colours, and the page keeps its own looks", async () => {
  const page = await opened()
  const looks = await page.evaluate(() => {
    const style = (selector: string) => getComputedStyle(document.querySelector(selector) ?? document.body)
    return {
      link: style("[data-row='0'] a").color,
      view: style(".sojourn").backgroundColor,
      theirFont: style("h1").fontFamily,
      theirButton: style("#theirs").borderRadius,
      theirBox: style("#theirs").boxSizing,
      theirMargin: style("body").marginTop,
    }
  })
  expect(looks).toEqual({
    link: "rgb(122, 46, 0)",
    view: "rgb(255, 248, 240)",
    theirFont: "Georgia, serif",
    theirButton: "0px",
    theirBox: "border-box",
    theirMargin: "8px",
  })
  expect(await violations(page)).toEqual([])
})

test("the page's address, title and keys stay the page's", async () => {
  const page = await opened()
  const before = page.url()
  await page.getByRole("columnheader", { name: "Session" }).click()
  await expect
    .poll(() => page.getByRole("columnheader", { name: "Session" }).getAttribute("aria-sort"))
    .toBe("ascending")
  expect(page.url()).toBe(before)
  expect(await page.title()).toBe("Somebody else's page")
  const theirs = page.locator("#theirs")
  await theirs.focus()
  await page.keyboard.press("/")
  await page.keyboard.press("j")
  expect(await theirs.evaluate((element) => element === document.activeElement)).toBe(true)
  // Inside, they are the view's.
  await page.locator("[role=grid] [tabindex='0']").focus()
  await page.keyboard.press("/")
  expect(await page.getByRole("searchbox").evaluate((element) => element === document.activeElement)).toBe(
    true,
  )
})
