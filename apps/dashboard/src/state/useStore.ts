import { useCallback, useRef, useSyncExternalStore } from "react"
import type { Readable } from "./Store.ts"

export const useStore = <T>(store: Readable<T>): T =>
  useSyncExternalStore(store.subscribe, store.get, store.get)

/** A part of a store: renders only when that part is another one. `select` should be cheap; it runs at each change. */
export const useSelected = <T, S>(
  store: Readable<T>,
  select: (value: T) => S,
  same: (a: S, b: S) => boolean = Object.is,
): S => {
  const last = useRef<{ readonly value: S } | undefined>(undefined)
  const get = useCallback((): S => {
    const value = select(store.get())
    if (last.current !== undefined && same(last.current.value, value)) return last.current.value
    last.current = { value }
    return value
  }, [store, select, same])
  return useSyncExternalStore(store.subscribe, get, get)
}
