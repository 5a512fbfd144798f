/** What others call things harms nothing; and the page needs nothing that a careful host forbids. */
import { describe, expect, test } from "vitest"
import { workbench } from "./support/bench.ts"
import { appFolder, workbenchFolder } from "./support/built.ts"
import { serve } from "./support/serve.ts"
import { visit } from "./support/visit.ts"

const { browser, open } = workbench()

describe("names as nobody should give them", () => {
  test("are text, of bounded length, on one line, and turn nothing round", async () => {
    const page = await open("/parts")
    const names = page.locator("section[aria-label=Names]")
    await names.waitFor()
    expect(await page.locator("main img, main script").count()).toBe(0)
    expect(await page.title()).toBe("Parts · Sojourn")
    const shown = await names.locator("dd").evaluateAll((all) =>
      all.map((each) => {
        const [name, after] = [each.querySelector("bdi"), each.lastElementChild]
        const [a, b] = [name?.getBoundingClientRect(), after?.getBoundingClientRect()]
        return {
          text: name?.textContent ?? "",
          left: a?.left ?? 0,
          after: b?.left ?? 0,
          height: a?.height ?? 0,
          top: a?.top ?? 0,
          afterTop: b?.top ?? 0,
        }
      }),
    )
    for (const { text, left, after, top, afterTop } of shown) {
      expect(text.length).toBeLessThan(2000)
      expect(text).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b\u2060]/u)
      // What stands after it stands after it, however it is written.
      expect(afterTop > top + 5 || after >= left).toBe(true)
    }
  })
  test("in rows, in their detail and in the address of it", async () => {
    const page = await open("/sessions", { query: "rows=500&hostile" })
    const grid = page.getByRole("grid", { name: "Sessions" })
    await grid.locator("[data-row='5'] a").waitFor()
    expect(await page.locator("main img, main script").count()).toBe(0)
    const heights = await grid
      .locator("[data-row]")
      .evaluateAll((all) => new Set(all.map((row) => row.getBoundingClientRect().height)).size)
    expect(heights).toBe(1)
    // A megabyte in a row is no megabyte in the page.
    expect(await grid.evaluate((element) => element.innerHTML.length)).toBeLessThan(400_000)
    expect(await page.title()).toBe("Sessions · Sojourn")
    await page.keyboard.press("/")
    await page.keyboard.type("<b>")
    await expect.poll(() => new URL(page.url()).hash).toBe("#/sessions?q=%3Cb%3E")
    await expect.poll(() => page.locator("[data-part=total]").textContent()).not.toBe("500")
  })
  test("in toasts and in what has to be typed", async () => {
    const page = await open("/parts")
    await page.getByRole("button", { name: "Bad toast" }).click()
    await page.locator("[data-part=toasts]").getByText("<img src=x").waitFor()
    await page.getByRole("button", { name: "Confirm with name" }).click()
    await page.getByRole("dialog").getByText("<img src=x").waitFor()
    expect(await page.locator("img").count()).toBe(0)
  })
})

describe("under a careful host", () => {
  test.each(["helmet", "strict"] as const)("the workbench, live, by policy %s", async (csp) => {
    await using served = await serve(workbenchFolder, { csp })
    const page = await visit(browser(), `${served.url}?rows=2000&every=250`)
    await page.getByRole("slider").nth(4).waitFor()
    await expect.poll(() => page.evaluate(() => window.workbench.live.get().frames)).toBeGreaterThan(3)
    await page.keyboard.press("g")
    await page.keyboard.press("s")
    await page.locator("[data-row='5'] a").waitFor()
    await page.keyboard.press("Control+k")
    await page.locator("[data-part=palette]").getByRole("option").first().waitFor()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await page.getByRole("button", { name: "Popover", exact: true }).click()
    // Every rule of the style sheets is there.
    expect(
      await page.locator(".sojourn").evaluate((root) => getComputedStyle(root).getPropertyValue("--primary")),
    ).not.toBe("")
  })
  test.each(["helmet", "strict"] as const)("the page that is shipped, by policy %s", async (csp) => {
    await using served = await serve(appFolder, { csp })
    const page = await visit(browser(), served.url)
    await page.getByRole("heading", { name: "Configuration" }).waitFor()
    expect(await page.title()).toBe("Config · Sojourn")
    const html = await (await page.request.get(served.url)).text()
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=/u)
    expect(
      [...html.matchAll(/(?:src|href)="([^"]*)"/gu)].filter(([, address = ""]) => !address.startsWith("./")),
    ).toEqual([])
  })
  test("a complaint of the page would be noticed", async () => {
    await using served = await serve(appFolder, { csp: "strict" })
    const page = await visit(browser(), served.url, {
      expected: /Content Security Policy|violates|trusted/iu,
    })
    const complaints: Array<string> = []
    page.on("console", (message) => complaints.push(message.text()))
    await page.evaluate(() => {
      const script = document.createElement("div")
      try {
        script.innerHTML = "<b>x</b>"
      } catch (error) {
        console.error(String(error))
      }
    })
    await expect.poll(() => complaints.length).toBeGreaterThan(0)
  })
})
