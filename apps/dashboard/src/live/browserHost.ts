import { Store, type Readable } from "../state/Store.ts"
import type { LiveHost } from "./Live.ts"

/** Whether somebody sees the page. */
const seen = (document: Document): Readable<boolean> => {
  const store = new Store(document.visibilityState === "visible")
  document.addEventListener("visibilitychange", () => store.set(document.visibilityState === "visible"))
  return store
}

/** The browser as what a `Live` needs. Make one for a page: it listens to the page for as long as the page is there. */
export const browserHost = (window: Window): LiveHost => ({
  now: Date.now,
  beforePaint: (run) => {
    // A hidden page paints nothing, and would never be told that it is hidden.
    if (window.document.visibilityState !== "visible") {
      const timer = window.setTimeout(run, 0)
      return () => window.clearTimeout(timer)
    }
    const request = window.requestAnimationFrame(run)
    return () => window.cancelAnimationFrame(request)
  },
  after: (ms, run) => {
    const timer = window.setTimeout(run, ms)
    return () => window.clearTimeout(timer)
  },
  random: Math.random,
  seen: seen(window.document),
})
