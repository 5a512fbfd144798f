/** The page in a real Chromium. */
import { chromium, type Browser, type Page } from "playwright-core"
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { findBrowser } from "../../programs/src/pages/browser.ts"
import { start } from "./start.ts"

let browser: Browser
beforeAll(async () => {
  browser = await chromium.launch(await findBrowser())
})
afterAll(() => browser.close())

/** A visitor with a page of their own; fails when the page asks elsewhere or its console has an error. */
const visit = async (url: string) => {
  const context = await browser.newContext()
  const open = async (at: string): Promise<Page> => {
    const page = await context.newPage()
    page.setDefaultTimeout(10_000)
    const wrong: Array<string> = []
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:")) wrong.push(request.url())
    })
    page.on("pageerror", (error) => wrong.push(error.message))
    page.on("console", (message) => {
      // Chromium writes down each status that is none of success, and each connection that was cut.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        wrong.push(message.text())
    })
    onTestFinished(() => expect(wrong).toEqual([]))
    await page.goto(at)
    return page
  }
  onTestFinished(() => context.close())
  return { open, page: await open(url) }
}
const ask = async (page: Page, text: string): Promise<void> => {
  await page.getByLabel("Your message").fill(text)
  await page.getByRole("button", { name: "Send" }).click()
}
const shown = (page: Page) => page.locator("#messages p").allTextContents()
/** Resolves once the last message reads so. */
const shows = (page: Page, text: string): Promise<void> =>
  page
    .locator("#messages p")
    .last()
    .filter({ hasText: new RegExp(`^${text}\\s*$`) })
    .waitFor()
const says = (page: Page, text: string): Promise<void> =>
  page.getByRole("status").filter({ hasText: text }).waitFor()

test("a reply is shown while it is made; a lost connection is taken up again where it broke off", async () => {
  const { url, asked, cut } = await start()
  const { page } = await visit(url)
  await ask(page, "count to four")
  const talk = await asked()
  talk.say("one", "two")
  await shows(page, "one two")
  cut()
  await says(page, "The connection is lost")
  talk.say("three")
  await shows(page, "one two three")
  // By the page itself, as the button does it.
  await page.getByRole("button", { name: "Lose the connection" }).click()
  await says(page, "The connection is lost")
  talk.say("four")
  talk.end()
  await shows(page, "one two three four")
  await page.getByRole("button", { name: "Send" }).waitFor()
  expect(await shown(page)).toEqual(["count to four", "one two three four "])
})

test("stop, and go on", async () => {
  const { url, asked } = await start()
  const { page } = await visit(url)
  await ask(page, "tell me a story")
  const talk = await asked()
  talk.say("Once", "upon")
  await shows(page, "Once upon")
  await page.getByRole("button", { name: "Stop" }).click()
  await talk.stopped
  await says(page, "Stopped.")
  await ask(page, "go on")
  const more = await asked()
  more.say("a", "time")
  more.end()
  await shows(page, "a time")
  expect(await shown(page)).toEqual(["tell me a story", "Once upon ", "go on", "a time "])
})

test("a page that is loaded again finds the conversation, and the reply that is being made", async () => {
  const { url, asked } = await start()
  const { page, open } = await visit(url)
  await ask(page, "hello")
  const first = await asked()
  first.say("Good morning")
  first.end()
  await shows(page, "Good morning")
  await page.getByRole("button", { name: "Send" }).waitFor()
  await ask(page, "count")
  const talk = await asked()
  talk.say("one")
  await shows(page, "one")
  await page.reload()
  await shows(page, "one")
  const tab = await open(page.url())
  await shows(tab, "one")
  talk.say("two")
  await Promise.all([shows(page, "one two"), shows(tab, "one two")])
  talk.end()
  await tab.getByRole("button", { name: "Send" }).waitFor()
  for (const each of [page, tab])
    expect(await shown(each)).toEqual(["hello", "Good morning ", "count", "one two "])
})

test("a refusal and a failure are shown in plain words, and nothing that was written is lost", async () => {
  const { url, asked } = await start()
  const { page, open } = await visit(url)
  // A second tab on the same conversation, which has not noticed that a reply is being made.
  const tab = await open(page.url())
  await ask(page, "first")
  const talk = await asked()
  talk.say("wait")
  await shows(page, "wait")
  await ask(tab, "second")
  await says(tab, "The session is busy with another request.")
  expect(await tab.getByLabel("Your message").inputValue()).toBe("second")

  talk.fail(new Error("quota of account 4711 is used up"))
  await says(page, "The model failed. Try again.")
  await page.getByRole("button", { name: "Try again" }).click()
  const again = await asked()
  again.say("<b>here</b>", "I am")
  again.end()
  await shows(page, "<b>here</b> I am")
  expect(await shown(page)).toEqual(["first", "<b>here</b> I am "])
})

test("several conversations, one of them deleted", async () => {
  const { url, asked } = await start()
  const { page } = await visit(url)
  for (const text of ["about cats", "about dogs"]) {
    await page.getByRole("button", { name: "New conversation" }).click()
    await ask(page, text)
    const talk = await asked()
    talk.say("yes", text)
    talk.end()
    await shows(page, `yes ${text}`)
    await page.getByRole("button", { name: "Send" }).waitFor()
  }
  await page.getByRole("link", { name: "about cats" }).click()
  await shows(page, "yes about cats")
  await page.getByRole("button", { name: "Delete" }).click()
  await shows(page, "yes about dogs")
  expect(await page.getByRole("link").allTextContents()).toEqual(["about dogs"])
})
