/** The grid, by keyboard and by pointer, while its rows change. */
import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { workbench } from "./support/bench.ts"
import { tick } from "./support/visit.ts"

const { open } = workbench()

const grid = (page: Page) => page.getByRole("grid", { name: "Sessions" })
const opened = async (query = "rows=2000", hash = "/sessions", width = 1280): Promise<Page> => {
  const page = await open(hash, { query, width })
  await grid(page).locator("[data-row='0'] a").waitFor()
  return page
}
/** Where the focus is: row and column, and what stands there. */
const at = (page: Page) =>
  page.evaluate(() => {
    const cell = document.activeElement
    const row = cell?.closest("[role=row]")
    return [Number(row?.getAttribute("aria-rowindex")), Number(cell?.getAttribute("aria-colindex"))]
  })
const names = (page: Page, count = 8): Promise<ReadonlyArray<string>> =>
  page.evaluate(
    (many) =>
      Array.from(
        { length: many },
        (_, index) => document.querySelector(`[data-row='${index}'] a`)?.textContent ?? "",
      ),
    count,
  )
const hash = (page: Page): string => new URL(page.url()).hash

describe("as the ARIA pattern has it", () => {
  test("all keys lead where they should, over all rows, and one cell is in the Tab order", async () => {
    const page = await opened("rows=100000")
    expect(await grid(page).getAttribute("aria-rowcount")).toBe("100001")
    await grid(page)
      .locator("[data-row='0'] [data-cell='1']")
      .click({ position: { x: 170, y: 10 } })
    await page.goBack()
    await grid(page).locator("[data-row='0'] a").waitFor()
    await grid(page).locator("[tabindex='0']").focus()
    const steps: ReadonlyArray<readonly [key: string, row: number, column: number]> = [
      ["Control+Home", 2, 1],
      ["ArrowRight", 2, 2],
      ["ArrowDown", 3, 2],
      ["j", 4, 2],
      ["k", 3, 2],
      ["End", 3, 9],
      ["ArrowRight", 3, 9],
      ["Home", 3, 1],
      ["ArrowUp", 2, 1],
      ["ArrowUp", 1, 1],
      ["ArrowUp", 1, 1],
      ["ArrowDown", 2, 1],
      ["Control+End", 100_001, 9],
      ["ArrowDown", 100_001, 9],
      ["Control+Home", 2, 1],
    ]
    for (const [key, row, column] of steps) {
      await page.keyboard.press(key)
      expect([key, ...(await at(page))]).toEqual([key, row, column])
      expect(await grid(page).locator("[tabindex='0']").count()).toBe(1)
    }
    await page.keyboard.press("PageDown")
    const [down = 0] = await at(page)
    expect(down).toBeGreaterThan(8)
    await page.keyboard.press("PageUp")
    expect(await at(page)).toEqual([2, 1])
    await page.keyboard.press("Control+End")
    await grid(page).locator("[data-row='99999'] a").waitFor()
    expect(await at(page), "the focus is on the row before and after it has come").toEqual([100_001, 9])
    const box = await grid(page).locator("[data-row='99999']").boundingBox()
    const frame = await grid(page).boundingBox()
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual((frame?.y ?? 0) + (frame?.height ?? 0) + 1)
  })
  test("the focus stays where it is when the row is scrolled away, and the keys go on from there", async () => {
    const page = await opened("rows=100000")
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowDown")
    expect(await at(page)).toEqual([3, 1])
    await grid(page).evaluate((element) => element.scrollTo({ top: 1_000_000 }))
    await grid(page).locator("[data-row='27780'] a").waitFor()
    expect(await at(page)).toEqual([3, 1])
    await page.keyboard.press("ArrowDown")
    expect(await at(page)).toEqual([4, 1])
    await grid(page).locator("[data-row='2'] a").waitFor()
  })
  test("rows are numbered as they are in all, and every row has all its cells", async () => {
    const page = await opened()
    const rows = await grid(page)
      .getByRole("row")
      .evaluateAll((all) =>
        all.map((row) => [Number(row.getAttribute("aria-rowindex")), row.children.length]),
      )
    expect(rows.map(([index]) => index)).toEqual(rows.map((_, index) => index + 1))
    expect(new Set(rows.map(([, cells]) => cells))).toEqual(new Set([9]))
  })
})

describe("sorting, filtering and choosing columns", () => {
  test("are in the address, and the back button takes them back", async () => {
    const page = await opened()
    const before = await names(page)
    const header = grid(page).getByRole("columnheader", { name: "Session" })
    await header.focus()
    await page.keyboard.press("Enter")
    await expect.poll(() => header.getAttribute("aria-sort")).toBe("ascending")
    expect(hash(page)).toBe("#/sessions?sort=name")
    await expect.poll(() => names(page)).not.toEqual(before)
    await page.keyboard.press("Enter")
    await expect.poll(() => header.getAttribute("aria-sort")).toBe("descending")
    expect(hash(page)).toBe("#/sessions?sort=-name")
    await page
      .getByRole("group", { name: "State" })
      .getByRole("button", { name: /quarantined/u })
      .click()
    expect(hash(page)).toBe("#/sessions?state=Quarantined&sort=-name")
    await expect.poll(() => grid(page).getByText("quarantined").count()).toBeGreaterThan(3)
    expect(await grid(page).getByText("ready").count()).toBe(0)
    await page.keyboard.press("/")
    await page.keyboard.type("mcp")
    await expect.poll(() => hash(page)).toBe("#/sessions?q=mcp&state=Quarantined&sort=-name")
    await expect
      .poll(async () => new Set((await names(page, 4)).map((name) => name.slice(0, 3))))
      .toEqual(new Set(["mcp"]))
    await page.goBack()
    await expect.poll(() => hash(page)).toBe("#/sessions?sort=-name")
    await page.goBack()
    await page.goBack()
    await expect.poll(() => names(page)).toEqual(before)
    await expect.poll(() => page.getByRole("searchbox").inputValue()).toBe("")
  })
  test("an address that is opened anew shows the same", async () => {
    const page = await opened("rows=2000", "/sessions?state=Backoff&sort=-turns&cols=turns,state")
    expect(await grid(page).getByRole("columnheader").allTextContents()).toEqual([
      "Select all that match",
      "Session",
      "Turns",
      "State",
    ])
    const turns = await grid(page).locator("[data-cell='2']").allTextContents()
    const numbers = turns.slice(1, 10).map((text) => Number(text.replaceAll(",", "")))
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a))
    await page.getByRole("button", { name: "Columns" }).press("Enter")
    await page.getByRole("checkbox", { name: "Kind" }).check()
    await page.getByRole("button", { name: "Move Kind up" }).press("Enter")
    expect(hash(page)).toBe("#/sessions?state=Backoff&sort=-turns&cols=turns%2Ckind%2Cstate")
    expect(await page.getByRole("checkbox", { name: "Session" }).isDisabled()).toBe(true)
  })
  test("none that matches: says so, and how to make one", async () => {
    const page = await opened()
    await page.keyboard.press("/")
    await page.keyboard.type("nothing is called this")
    await page.getByText("No session matches.").waitFor()
    expect(await grid(page).getAttribute("aria-rowcount")).toBe("1")
  })
})

describe("rows that change", () => {
  test("reorder by themselves while nobody is at them, and stay while somebody is, with new values", async () => {
    const page = await opened("rows=300")
    await page.mouse.move(5, 5)
    const first = await names(page)
    await tick(page, 20)
    const second = await names(page)
    expect(second).not.toEqual(first)
    await grid(page).hover()
    const values = () =>
      grid(page)
        .locator("[role=gridcell][data-cell='6']")
        .evaluateAll((all) => all.map((cell) => cell.firstElementChild?.getAttribute("title")))
    const valuesBefore = await values()
    await tick(page, 20)
    expect(await names(page)).toEqual(second)
    expect(await values()).not.toEqual(valuesBefore)
    const apply = page.locator("[data-part=apply]")
    expect(await apply.textContent()).toMatch(/^Show changes: (\d+ (new|reordered|gone)(, )?)+$/u)
    await page.mouse.move(5, 5)
    await expect.poll(() => names(page)).not.toEqual(second)
    expect(await apply.count()).toBe(0)
  })
  test("with the focus in them they stay; r shows the new order, and the focus goes with its row", async () => {
    const page = await opened("rows=300")
    await page.mouse.move(5, 5)
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowRight")
    const before = await names(page)
    await tick(page, 20)
    expect(await names(page)).toEqual(before)
    const focused = () =>
      page.evaluate(() => document.activeElement?.closest("[data-row]")?.querySelector("a")?.textContent)
    const name = await focused()
    const moves = (await page.locator("[data-part=apply]").count()) > 0
    expect(moves).toBe(true)
    await page.keyboard.press("r")
    await expect.poll(() => names(page)).not.toEqual(before)
    const inWindow = (await names(page, 20)).includes(name ?? "")
    if (inWindow) expect(await focused()).toBe(name)
    else expect(await at(page)).toEqual([2, 2])
  })

  test("sorted by keyboard they are shown anew, and then stay: the focus is still in them", async () => {
    const page = await opened("rows=300")
    await page.mouse.move(5, 5)
    const before = await names(page)
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowUp")
    for (let column = 0; column < 5; column += 1) await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect.poll(() => names(page)).not.toEqual(before)
    await grid(page).locator("[data-row='7'] a").waitFor()
    const sorted = await names(page)
    await tick(page, 40)
    expect(await names(page)).toEqual(sorted)
    expect(await page.locator("[data-part=apply]").count()).toBe(1)
  })
})

describe("selecting", () => {
  test("by keys: one, several, all that match; and what is asked says how many", async () => {
    const page = await opened()
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("x")
    expect(await grid(page).locator("[aria-selected=true]").count()).toBe(2)
    expect(hash(page)).toMatch(/^#\/sessions\?sel=%3D[0-9a-f]{16}&sel=%3D[0-9a-f]{16}$/u)
    await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Shift+ArrowDown")
    expect(await grid(page).locator("[aria-selected=true]").count()).toBe(3)
    await page.keyboard.press("c")
    const dialog = page.getByRole("dialog", { name: "Cancel all tasks of these sessions?" })
    await dialog.waitFor()
    expect(await dialog.locator("[data-part=count]").textContent()).toBe("3 sessions")
    await page.keyboard.press("Escape")
    await dialog.waitFor({ state: "detached" })
    expect((await at(page))[0], "the focus is back on its row").toBe(5)
    await page.keyboard.press("Control+a")
    await page.getByRole("button", { name: "Cancel tasks of 2,000" }).waitFor()
    await page.keyboard.press("Escape")
    expect(await grid(page).locator("[aria-selected=true]").count()).toBe(0)
    await page.keyboard.press("c")
    await dialog.waitFor()
    expect(
      await dialog.locator("[data-part=count]").textContent(),
      "none selected: the one with the focus",
    ).toBe("1 sessions")
  })
  test("by pointer: a click selects, with Shift up to there, and a click on the row opens it", async () => {
    const page = await opened()
    const box = (row: number) => grid(page).locator(`[data-row='${row}'] [data-cell='0']`)
    await box(1).click()
    await box(4).click({ modifiers: ["Shift"] })
    expect(await grid(page).locator("[aria-selected=true]").count()).toBe(4)
    await grid(page).getByRole("columnheader").first().click()
    await page.getByRole("button", { name: "Cancel tasks of 2,000" }).waitFor()
    await grid(page).locator("[data-row='2'] [data-cell='3']").click()
    await page.getByRole("heading", { name: /^Session [0-9a-f]{16}$/u }).waitFor()
  })
  test("Enter opens the row; the back button comes back", async () => {
    const page = await opened()
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: /^Session / }).waitFor()
    expect(hash(page)).toMatch(/^#\/sessions\/[0-9a-f]{16}$/u)
    await page.goBack()
    await grid(page).locator("[data-row='0'] a").waitFor()
    expect(hash(page)).toBe("#/sessions")
  })
})

test("in a narrow window cells that lie outside are scrolled to", async () => {
  const page = await opened("rows=2000", "/sessions", 360)
  await page.keyboard.press("j")
  await page.keyboard.press("End")
  const cell = await page.evaluate(() => {
    const box = document.activeElement?.getBoundingClientRect()
    return [box?.left ?? -1, box?.right ?? 9999]
  })
  expect(cell[0]).toBeGreaterThanOrEqual(0)
  expect(cell[1]).toBeLessThanOrEqual(360)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
})
