/** What a person has chosen in this browser. Where nothing can be stored it holds for this visit. */
import { Store, type Writable } from "./Store.ts"

export const themes = ["system", "light", "dark"] as const
export type ThemeChoice = (typeof themes)[number]
/** Frames a second. */
export const rates = [1, 2, 4] as const
export type Rate = (typeof rates)[number]

export interface Prefs {
  readonly theme: ThemeChoice
  readonly rate: Rate
  /** Keys without Ctrl, such as `j`, do something. */
  readonly singleKeys: boolean
}

export const usualPrefs: Prefs = { theme: "system", rate: 1, singleKeys: true }

/** Never fails: what is stored may be anybody's. */
export const readPrefs = (stored: string | null): Prefs => {
  let given: unknown
  try {
    given = JSON.parse(stored ?? "null")
  } catch {
    return usualPrefs
  }
  if (typeof given !== "object" || given === null) return usualPrefs
  const { theme, rate, singleKeys } = given as Record<string, unknown>
  return {
    theme: themes.find((known) => known === theme) ?? usualPrefs.theme,
    rate: rates.find((known) => known === rate) ?? usualPrefs.rate,
    singleKeys: typeof singleKeys === "boolean" ? singleKeys : usualPrefs.singleKeys,
  }
}

const name = "sojourn.prefs"

/** A browser may refuse storage altogether, or have no room. */
const attempt = <T>(use: () => T, otherwise: T): T => {
  try {
    return use()
  } catch {
    return otherwise
  }
}

/** Kept in local storage, and followed in all tabs of the browser. Make one for a page. */
export const storedPrefs = (window: Window): Writable<Prefs> => {
  const load = () => readPrefs(attempt(() => window.localStorage.getItem(name), null))
  const store = new Store(load())
  window.addEventListener("storage", (event) => {
    if (event.key === name || event.key === null) store.set(load())
  })
  return {
    get: store.get,
    subscribe: store.subscribe,
    set: (value) => {
      attempt(() => window.localStorage.setItem(name, JSON.stringify(value)), undefined)
      store.set(value)
    },
  }
}

export const visitPrefs = (start: Prefs = usualPrefs): Writable<Prefs> => new Store(start)
