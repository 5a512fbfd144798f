import { useMemo, useSyncExternalStore } from "react"
import { Store, type Readable } from "../state/Store.ts"
import type { ThemeChoice } from "../state/prefs.ts"

export type Theme = "light" | "dark"

/** Whether a media query holds. */
const media = (query: string): Readable<boolean> => {
  const list = window.matchMedia(query)
  return {
    get: () => list.matches,
    subscribe: (listener) => {
      list.addEventListener("change", listener)
      return () => list.removeEventListener("change", listener)
    },
  }
}

export const useMedia = (query: string): boolean => {
  const store = useMemo(() => media(query), [query])
  return useSyncExternalStore(store.subscribe, store.get, () => false)
}

export const useTheme = (choice: ThemeChoice): Theme => {
  const dark = useMedia("(prefers-color-scheme: dark)")
  return choice === "system" ? (dark ? "dark" : "light") : choice
}

/** Told when the colours may be others: what draws on a canvas reads them anew then. */
export const coloursChanged: Store<number> = new Store(0)
