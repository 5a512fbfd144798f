import { createContext, useContext, useState, type ReactNode } from "react"
import { Store } from "../state/Store.ts"

/** A place on the time axis that somebody points at, in epoch milliseconds; undefined: nobody does. */
export type CursorStore = Store<number | undefined>

const CursorContext = createContext<CursorStore | undefined>(undefined)

/** All charts of time inside have one cursor. */
export const SharedCursor = ({ children }: { readonly children: ReactNode }): ReactNode => {
  const [store] = useState(() => new Store<number | undefined>(undefined))
  return <CursorContext value={store}>{children}</CursorContext>
}

/** The shared one, or one of its own. */
export const useCursor = (): CursorStore => {
  const shared = useContext(CursorContext)
  const [own] = useState(() => new Store<number | undefined>(undefined))
  return shared ?? own
}
