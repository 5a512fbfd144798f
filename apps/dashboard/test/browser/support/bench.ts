import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { workbenchFolder } from "./built.ts"
import { serve, type Served } from "./serve.ts"
import { launch, visit, type VisitOptions } from "./visit.ts"

export interface Bench {
  readonly browser: () => Browser
  /** A page of the workbench in which nothing moves by itself. */
  readonly open: (hash: string, options?: VisitOptions & { readonly query?: string }) => Promise<Page>
}

/** The browser and the workbench for the tests of a file. */
export const workbench = (): Bench => {
  let browser: Browser
  let bench: Served
  beforeAll(async () => {
    ;[browser, bench] = await Promise.all([launch(), serve(workbenchFolder)])
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await bench[Symbol.asyncDispose]()
  })
  return {
    browser: () => browser,
    open: (hash, { query = "rows=2000", ...options } = {}) =>
      visit(browser, `${bench.url}?live=0&${query}#${hash}`, options),
  }
}
