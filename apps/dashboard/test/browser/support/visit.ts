/** A page in a real Chromium, whose every complaint fails the test. */
import axe from "axe-core"
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core"
import { expect, onTestFinished } from "vitest"
import { findBrowser } from "../../../../../examples/programs/src/pages/browser.ts"

export const launch = async (): Promise<Browser> => chromium.launch(await findBrowser())

export interface VisitOptions {
  readonly theme?: "light" | "dark" | undefined
  readonly width?: number | undefined
  readonly height?: number | undefined
  readonly reducedMotion?: boolean | undefined
  /** What the test itself makes go wrong, and so is no complaint. */
  readonly expected?: RegExp | undefined
}

export const visit = async (
  browser: Browser,
  url: string,
  { theme = "light", width = 1280, height = 800, reducedMotion = false, expected }: VisitOptions = {},
): Promise<Page> => {
  const options: BrowserContextOptions = {
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
    // In the C locale Chromium says "en-US@posix", which is no language tag, and which uPlot hands on to `Intl` as it loads.
    locale: "en-US",
  }
  const context = await browser.newContext(options)
  onTestFinished(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const wrong: Array<string> = []
  const origin = new URL(url).origin
  const complain = (text: string) => {
    if (expected?.test(text) !== true) wrong.push(text)
  }
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) complain(`asked elsewhere: ${request.url()}`)
  })
  page.on("requestfailed", (request) => complain(`failed: ${request.url()}`))
  page.on("response", (response) => {
    if (response.status() >= 400) complain(`${response.status()}: ${response.url()}`)
  })
  page.on("pageerror", (error) => complain(`thrown: ${error.message}`))
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complain(`console: ${message.text()}`)
  })
  onTestFinished(() => expect(wrong, "what the page complained about").toEqual([]))
  await page.goto(url)
  return page
}

interface AxeResult {
  readonly violations: ReadonlyArray<{
    readonly id: string
    readonly nodes: ReadonlyArray<{ readonly target: unknown; readonly failureSummary?: string }>
  }>
  readonly passes: ReadonlyArray<unknown>
}

/** Everything that axe finds, best practices too, in one line each. */
export const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  // By the debugger, which no policy of the page stands in the way of.
  await page.evaluate(axe.source)
  const result = await page.evaluate(
    async () =>
      (await (
        globalThis as unknown as { axe: { run: (...given: Array<unknown>) => Promise<AxeResult> } }
      ).axe.run(document, {
        resultTypes: ["violations"],
      })) satisfies AxeResult,
  )
  // A run that has looked at nothing proves nothing.
  expect(result.passes.length).toBeGreaterThan(5)
  return result.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${JSON.stringify(target)} ${failureSummary ?? ""}`),
  )
}

/** What `workbench` gives; see workbench/src/main.tsx. */
export const tick = (page: Page, steps = 1): Promise<void> =>
  page.evaluate((count) => window.workbench.tick(count), steps)
export const counts = (page: Page): Promise<Readonly<Record<string, number>>> =>
  page.evaluate(() => window.workbench.counts())
