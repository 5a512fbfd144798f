import type { LucideIcon } from "lucide-react"
import type { ComponentType } from "react"
import { matchPath, type Address } from "../url/address.ts"

/** A page of the dashboard. Heavy ones are given with `lazy`. */
export interface Page {
  /** Unique. */
  readonly id: string
  readonly title: string
  /** Parts of its path; one with a colon is given to the page: `["sessions", ":kind", ":hash"]`. */
  readonly path: ReadonlyArray<string>
  readonly view: ComponentType<PageProps>
  /** In the navigation, with the key after `g`. Without: reached from another page. */
  readonly entry?: { readonly icon: LucideIcon; readonly key: string } | undefined
  /** The id of the page whose entry is marked while this one is shown. */
  readonly under?: string | undefined
}

export interface PageProps {
  /** What the address has for the parts with a colon. */
  readonly at: Readonly<Record<string, string>>
}

/** The page of an address; the first one that fits. */
export const pageOf = (
  pages: ReadonlyArray<Page>,
  { path }: Address,
): { readonly page: Page; readonly at: Readonly<Record<string, string>> } | undefined => {
  for (const page of pages) {
    const at = matchPath(page.path, path)
    if (at !== undefined) return { page, at }
  }
  return undefined
}
