/** The page in a real Chromium, with a real database behind it. */
import { readFile } from "node:fs/promises"
import { chromium, type Browser } from "playwright-core"
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { findBrowser } from "../../programs/src/pages/browser.ts"
import { createApp } from "../src/app.ts"
import { createNotebooks } from "../src/notebook.ts"
import { serve } from "../src/serve.ts"

let browser: Browser
beforeAll(async () => {
  browser = await chromium.launch(await findBrowser())
}, 60_000)
afterAll(() => browser.close())

test("a query, a mistake, a download, and a refusal in plain words", async () => {
  const notebooks = createNotebooks()
  const { server, url } = await serve(createApp({ notebooks, secret: "a secret of the tests" }))
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await notebooks.drain({ finishWithin: 0 })
  })
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  page.setDefaultTimeout(30_000)
  const wrong: Array<string> = []
  page.on("pageerror", (error) => wrong.push(error.message))
  page.on("request", (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(url)) wrong.push(request.url())
  })
  await page.goto(url)
  const result = page.locator("#result")
  const query = async (sql: string): Promise<void> => {
    await page.getByRole("textbox", { name: "Query" }).fill(sql)
    await page.getByRole("button", { name: "Run", exact: true }).click()
  }

  await query("select origin, count(*) from cars group by origin order by origin")
  await result.getByText("3 rows").waitFor()
  expect(await result.locator("tbody td").allTextContents()).toEqual([
    "Europe",
    "73",
    "Japan",
    "79",
    "USA",
    "254",
  ])

  await query("select 1,\n  nothing from cars")
  await result.getByText('column "nothing" does not exist').waitFor()
  expect(await result.getByRole("alert").textContent()).toBe(
    'column "nothing" does not exist\n\n  nothing from cars\n  ^',
  )

  await page.getByRole("textbox", { name: "Query" }).fill("select iata from airports order by iata")
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ])
  expect((await readFile(await file.path(), "utf8")).split("\r\n")).toHaveLength(3376 + 2)

  // As many as may wait do.
  const [session] = notebooks.snapshot().sessions
  if (session === undefined) throw new Error("no session is live")
  const go = Promise.withResolvers<void>()
  const held = Array.from({ length: 9 }, () => notebooks.run(session.session, () => go.promise))
  await query("select 1")
  await result.getByText("Too many of your queries are waiting already. Try again in").waitFor()
  go.resolve()
  await Promise.all(held)
  expect(wrong).toEqual([])
}, 60_000)
