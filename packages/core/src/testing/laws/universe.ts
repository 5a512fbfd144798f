/** What every user of a schedule shares. */
import type { VirtualClock } from "../VirtualClock.ts"
import type { Book, Site } from "./Book.ts"

export interface Universe {
  readonly book: Book
  readonly clock: VirtualClock
  readonly sites: ReadonlyArray<Site>
  readonly seed: number
}
export const unending = (): Promise<never> => new Promise(() => {})
export const abortOf = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })

export const siteOf = (universe: Universe, index: number): Site =>
  universe.sites[index % universe.sites.length] as Site
