/** The bar, the navigation, the palette, the dialogs: with the keyboard, in a real Chromium. */
import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { workbench } from "./support/bench.ts"
import { counts, tick } from "./support/visit.ts"

const { open } = workbench()

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.textContent?.trim() ?? "")
const heading = (page: Page, name: string) => page.getByRole("heading", { name, level: 1 })

describe("going from page to page", () => {
  test("by keys, by links, by the back button; the title and the focus go along", async () => {
    const page = await open("/parts")
    await heading(page, "Parts").waitFor()
    await page.keyboard.press("g")
    await page.keyboard.press("s")
    await heading(page, "Sessions").waitFor()
    expect(await page.title()).toBe("Sessions · Sojourn")
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN")
    expect(new URL(page.url()).hash).toBe("#/sessions")
    expect(await page.getByRole("link", { name: "Sessions" }).getAttribute("aria-current")).toBe("page")
    await page.getByRole("link", { name: "Config" }).click()
    await heading(page, "Configuration").waitFor()
    await page.goBack()
    await heading(page, "Sessions").waitFor()
    await page.goBack()
    await heading(page, "Parts").waitFor()
    await page.goForward()
    await heading(page, "Sessions").waitFor()
  })
  test("an unknown address says so and harms nothing", async () => {
    const page = await open("/nothing/%3Cimg%20src=x%3E/%E0%A4%A")
    await page.getByText("There is no such page.").waitFor()
    expect(await page.locator("main img").count()).toBe(0)
  })
  test("the first stop of the Tab key leads past the bar", async () => {
    const page = await open("/parts")
    await heading(page, "Parts").waitFor()
    await page.keyboard.press("Tab")
    expect(await focused(page)).toBe("Skip to the page")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    expect(await focused(page)).toBe("Plain")
  })
  test("a view that fails leaves the rest, and says what happened", async () => {
    const page = await open("/failing", { expected: /made to fail/u })
    const failed = page.locator("[data-part=failed-view]")
    await failed.waitFor()
    expect(await failed.textContent()).toContain("It was made to fail. <b>[U+202E]gnorw")
    await page.getByRole("link", { name: "Parts" }).click()
    await heading(page, "Parts").waitFor()
  })
})

describe("the palette", () => {
  test("finds a command by a part of its name and runs it; Escape gives the focus back", async () => {
    const page = await open("/parts")
    const plain = page.getByRole("button", { name: "Plain" })
    await plain.focus()
    await page.keyboard.press("Control+k")
    await page.locator("[data-part=palette] input").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
    expect(await focused(page)).toBe("Plain")
    await page.keyboard.press("Control+k")
    const box = page.locator("[data-part=palette] input")
    await box.waitFor()
    await page.keyboard.type("dark")
    await page
      .locator("[data-part=palette]")
      .getByRole("option", { name: /Theme: dark/u, selected: true })
      .waitFor()
    await page.keyboard.press("Enter")
    await page.locator(".sojourn[data-theme=dark]").waitFor()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("zzzz")
    await page.getByText("No command is called that.").waitFor()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    // It was chosen for this browser, not for this visit.
    await page.reload()
    await page.locator(".sojourn[data-theme=dark]").waitFor()
  })
  test("arrows walk through its commands and round its ends", async () => {
    const page = await open("/parts")
    await heading(page, "Parts").waitFor()
    await page.keyboard.press("Control+k")
    await page.locator("[data-part=palette]").getByRole("option").first().waitFor()
    const chosen = () =>
      page.locator("[data-part=palette]").getByRole("option", { selected: true }).textContent()
    const first = await chosen()
    await page.keyboard.press("ArrowDown")
    expect(await chosen()).not.toBe(first)
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    expect(await chosen()).toBe(
      await page.locator("[data-part=palette]").getByRole("option").last().textContent(),
    )
    const active = await page.locator("[data-part=palette] input").getAttribute("aria-activedescendant")
    expect(
      await page.locator("[data-part=palette]").getByRole("option", { selected: true }).getAttribute("id"),
    ).toBe(active)
  })
})

describe("keys", () => {
  test("are all in the map that ? shows", async () => {
    const page = await open("/sessions")
    await heading(page, "Sessions").waitFor()
    await page.keyboard.press("?")
    const help = page.getByRole("dialog", { name: "Keyboard map" })
    await help.waitFor()
    const text = (await help.textContent()) ?? ""
    for (const title of [
      "Go to Sessions",
      "Filter sessions",
      "Next row",
      "Select the row",
      "Cancel all tasks",
      "Pause",
      "Command palette",
    ])
      expect(text).toContain(title)
  })
  test("single ones can be switched off (WCAG 2.1.4), those with Ctrl stay", async () => {
    const page = await open("/config")
    await page.getByRole("checkbox", { name: /Single keys/u }).uncheck()
    await page.getByRole("link", { name: "Parts" }).click()
    await heading(page, "Parts").waitFor()
    await page.keyboard.press("g")
    await page.keyboard.press("s")
    await page.keyboard.press("?")
    await page.keyboard.press("Space")
    await page.keyboard.press("Control+k")
    await page.locator("[data-part=palette] input").waitFor()
    expect(await heading(page, "Parts").count()).toBe(1)
    expect(await page.locator("[data-part=live]").getAttribute("data-status")).toBe("live")
  })
  test("typing is typing: no key of a field is a command", async () => {
    const page = await open("/sessions")
    await heading(page, "Sessions").waitFor()
    await page.locator("[data-part=live][data-status=live]").waitFor()
    await page.keyboard.press("/")
    await page.keyboard.type("gs ?xc/j")
    expect(await page.getByRole("searchbox").inputValue()).toBe("gs ?xc/j")
    expect(await page.getByRole("dialog").count()).toBe(0)
    expect(await page.locator("[data-part=live]").getAttribute("data-status")).toBe("live")
    await page.keyboard.press("Escape")
    expect(await page.getByRole("searchbox").inputValue()).toBe("")
    await page.keyboard.press("Escape")
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("BODY")
  })
  test("Space pauses, but not where it presses a button", async () => {
    const page = await open("/parts")
    const live = page.locator("[data-part=live]")
    await page.locator("[data-part=live][data-status=live]").waitFor()
    await page.getByRole("button", { name: "Good toast" }).focus()
    await page.keyboard.press("Space")
    await page.getByText("It has ended.").waitFor()
    expect(await live.getAttribute("data-status")).toBe("live")
    await page.locator("main").focus()
    await page.keyboard.press("Space")
    await page.locator("[data-part=live][data-status=paused]").waitFor()
    await page.keyboard.press("Space")
    await page.locator("[data-part=live][data-status=live]").waitFor()
  })
})

describe("what is live", () => {
  test("says when the connection is lost, how old the data is, and that it is back, with the gap", async () => {
    const page = await open("/charts", { expected: /nothing/u })
    await page.locator("[data-part=live][data-status=live]").waitFor()
    await page.evaluate(() => {
      window.workbench.server.mode.set("offline")
      window.workbench.server.cut()
    })
    await page.locator("[data-part=live][data-status=lost]").waitFor()
    expect(await page.locator("[data-part=age]").textContent()).toMatch(/again in \d+ s/u)
    await page.evaluate(() => {
      window.workbench.server.mode.set("up")
      window.workbench.server.say({ say: "tick", steps: 30 })
    })
    await page.getByRole("button", { name: /^Connect now/u }).click()
    await page.locator("[data-part=live][data-status=live]").waitFor()
    const gaps = await page.evaluate(() => window.workbench.live.get().gaps)
    expect(gaps.map(({ why, from, to }) => [why, to - from])).toEqual([["lost", 30_000]])
  })
  test("stops while nobody sees the page, and goes on with the gap when somebody does", async () => {
    const page = await open("/parts")
    await page.locator("[data-part=live][data-status=live]").waitFor()
    // Headless, a page is never hidden by itself.
    const see = (state: "hidden" | "visible") =>
      page.evaluate((now) => {
        Object.defineProperty(document, "visibilityState", { configurable: true, get: () => now })
        document.dispatchEvent(new Event("visibilitychange"))
      }, state)
    await see("hidden")
    await page.locator("[data-part=live][data-status=hidden]").waitFor()
    const { frames } = await counts(page)
    await page.evaluate(() => window.workbench.server.say({ say: "tick", steps: 20 }))
    await see("visible")
    await page.locator("[data-part=live][data-status=live]").waitFor()
    const view = await page.evaluate(() => {
      const { gaps, frames: all } = window.workbench.live.get()
      return { gaps: gaps.map(({ why, from, to }) => [why, to - from]), all }
    })
    expect(view).toEqual({ gaps: [["hidden", 20_000]], all: (frames ?? 0) + 1 })
  })
  test("is refused: says so, and does not try again by itself", async () => {
    const page = await open("/parts")
    await page.locator("[data-part=live][data-status=live]").waitFor()
    await page.evaluate(() => {
      window.workbench.server.mode.set("refused")
      window.workbench.server.cut()
      // The cut is tried again, and the answer to that is the refusal.
      window.workbench.live.retry()
    })
    await page.locator("[data-part=live][data-status=refused]").waitFor()
    expect(await page.getByRole("button", { name: /^Connect now/u }).textContent()).toContain(
      "You may not look at this.",
    )
  })
  test("counts what was dropped", async () => {
    const page = await open("/parts")
    await page.locator("[data-part=live][data-status=live]").waitFor()
    await page.evaluate(() => window.workbench.server.say({ say: "drop", events: 1234 }))
    expect(await page.getByText("dropped").count()).toBe(0)
    await tick(page)
    expect(await page.getByText("1,234 dropped").count()).toBe(1)
  })
})

describe("asking once more", () => {
  test("says how many, wants the count typed, and asks anew when it has become another", async () => {
    const page = await open("/parts")
    await page.getByRole("button", { name: "Confirm with count" }).press("Enter")
    const dialog = page.getByRole("dialog", { name: "Close these sessions?" })
    await dialog.waitFor()
    expect(await dialog.locator("[data-part=count]").textContent()).toBe("1,234 sessions")
    const go = dialog.getByRole("button", { name: "Close sessions" })
    expect(await go.isDisabled()).toBe(true)
    await page.keyboard.type("1233")
    await page.keyboard.press("Enter")
    expect(await go.isDisabled()).toBe(true)
    await page.keyboard.press("Backspace")
    await page.keyboard.type("4")
    await page.keyboard.press("Enter")
    await dialog.getByText("There are more now.").waitFor()
    expect(await dialog.locator("[data-part=count]").textContent()).toBe("1,235 sessions")
    expect(await dialog.getByRole("textbox").inputValue()).toBe("")
    await page.keyboard.type("1235")
    await page.keyboard.press("Enter")
    await page.getByText("Closed 1235.").waitFor()
    await dialog.waitFor({ state: "detached" })
    expect(await focused(page)).toBe("Confirm with count")
  })
  test("without something to type the focus is on what changes nothing", async () => {
    const page = await open("/parts")
    await page.getByRole("button", { name: "Confirm", exact: true }).press("Enter")
    await page.getByRole("dialog").waitFor()
    expect(await focused(page)).toBe("Keep as it is")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    expect(
      await page.evaluate(
        () => document.activeElement?.closest("dialog") !== null || document.activeElement === document.body,
      ),
    ).toBe(true)
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
    expect(await focused(page)).toBe("Confirm")
  })
  test("before the server has counted there is nothing to agree to", async () => {
    const page = await open("/parts")
    await page.getByRole("button", { name: "Confirm while counting" }).press("Enter")
    expect(await page.getByRole("button", { name: "Close sessions" }).isDisabled()).toBe(true)
    expect(await page.locator("[data-part=count]").textContent()).toBe("counting…")
  })
})

test("popovers open below their button, take the focus, and give it back", async () => {
  const page = await open("/parts")
  const button = page.getByRole("button", { name: "Popover", exact: true })
  await button.press("Enter")
  const inside = page.getByRole("button", { name: "Close it" })
  await inside.waitFor()
  expect(await focused(page)).toBe("Close it")
  await page.keyboard.press("g")
  await page.keyboard.press("s")
  expect(await heading(page, "Parts").count(), "keys are not the page's meanwhile").toBe(1)
  const [above, below] = [await button.boundingBox(), await inside.boundingBox()]
  expect(below?.y).toBeGreaterThanOrEqual((above?.y ?? 0) + (above?.height ?? 0))
  await page.keyboard.press("Escape")
  expect(await focused(page)).toBe("Popover")
  await expect.poll(() => button.getAttribute("aria-expanded")).toBe("false")
})
