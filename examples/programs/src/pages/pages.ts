/** One browser page per user: its process is owned, its health is asked for, and it is replaced when it has served for long. */
import { createSessions } from "@sojourn/core"
import { ownProcess } from "@sojourn/core/node"
import { chromium, type Page } from "playwright-core"
import { idleTimeout, maxTurns } from "../settings.ts"
import { findBrowser } from "./browser.ts"

const found = await findBrowser()
/** A signal is answered by the drain, which lets turns finish: Playwright would close its browsers under them. */
const ours = { host: "127.0.0.1", handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }

export const pages = createSessions({
  name: "page",
  open: async (session) => {
    const server = await session.use(chromium.launchServer({ ...found, ...ours }))
    ownProcess(session, server.process())
    console.log(`${session.key} browser ${server.process().pid}`)
    const browser = await session.use(chromium.connect(server.wsEndpoint()))
    const page = await session.use(browser.newPage())
    page.once("crash", () => session.broken("page crashed"))
    session.probe(() => page.evaluate("1"))
    return page
  },
  maxSessions: 20,
  maxPerOwner: 2,
  idleTimeout,
  maxAge: "1 hour",
  maxTurns,
  timeouts: { open: "20 seconds", silence: "1 minute" },
})

/** The turn. It goes wherever it is sent: a service for strangers keeps its browsers out of its own network. */
export const visit = async (page: Page, url: string): Promise<string> => {
  await page.goto(url)
  return page.title()
}
