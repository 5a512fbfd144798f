/** Where the address of the view is kept: in the browser's, or in memory when the views are part of another page. */
import { Store, type Readable } from "../state/Store.ts"

export interface Location extends Readable<string> {
  /** `push` makes a step that the back button takes back; `replace` makes none. */
  readonly go: (hash: string, how: "push" | "replace") => void
  /** What a link to it says, for opening it elsewhere. */
  readonly href: (hash: string) => string
}

/** The part after `#`: it needs no answer of a server, under whatever path the page is mounted. */
export const hashLocation = (window: Window): Location & Disposable => {
  const store = new Store(window.location.hash)
  const read = () => store.set(window.location.hash)
  window.addEventListener("hashchange", read)
  window.addEventListener("popstate", read)
  return {
    get: store.get,
    subscribe: store.subscribe,
    go: (hash, how) => {
      if (how === "push") window.history.pushState(null, "", hash)
      else window.history.replaceState(window.history.state, "", hash)
      read()
    },
    href: (hash) => hash,
    [Symbol.dispose]: () => {
      window.removeEventListener("hashchange", read)
      window.removeEventListener("popstate", read)
    },
  }
}

/** For views inside another page, whose own address they leave alone. */
export const memoryLocation = (start = "#/", href: (hash: string) => string = (hash) => hash): Location => {
  const store = new Store(start)
  return { get: store.get, subscribe: store.subscribe, go: (hash) => store.set(hash), href }
}
