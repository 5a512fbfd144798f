import { createContext, useCallback, useContext, useMemo, type MouseEvent, type ReactNode } from "react"
import { useStore } from "../state/useStore.ts"
import { readAddress, writeAddress, type Address } from "./address.ts"
import type { Location } from "./Location.ts"
import { readParams, writeParams, type Params, type Values } from "./params.ts"

const LocationContext = createContext<Location | undefined>(undefined)

export const LocationProvider = ({
  location,
  children,
}: {
  readonly location: Location
  readonly children: ReactNode
}): ReactNode => <LocationContext value={location}>{children}</LocationContext>

export const useLocation = (): Location => {
  const location = useContext(LocationContext)
  if (location === undefined) throw new Error("Views are rendered inside a LocationProvider.")
  return location
}

export const useAddress = (): Address => {
  const hash = useStore(useLocation())
  return useMemo(() => readAddress(hash), [hash])
}

/** Goes to a path; what its parameters are is part of it, so a link is never half of where one was. */
export const useGo = (): ((path: ReadonlyArray<string>, search?: string) => void) => {
  const location = useLocation()
  return useCallback((path, search = "") => location.go(writeAddress({ path, search }), "push"), [location])
}

export type SetParams<P extends Params> = (change: Partial<Values<P>>, how?: "push" | "replace") => void

/**
 * The view's parameters and how to change them. A change is a step of its own unless `replace`, which is for typing and
 * dragging. `params` is declared once, outside of components.
 */
export const useParams = <P extends Params>(params: P): readonly [Values<P>, SetParams<P>] => {
  const location = useLocation()
  const { search } = useAddress()
  const values = useMemo(() => readParams(params, search), [params, search])
  const set = useCallback<SetParams<P>>(
    (change, how = "push") => {
      // From the address of this moment: two changes in one event add up.
      const now = readAddress(location.get())
      const next = { ...readParams(params, now.search), ...change }
      const hash = writeAddress({ path: now.path, search: writeParams(params, next) })
      if (hash !== writeAddress(now)) location.go(hash, how)
    },
    [location, params],
  )
  return [values, set]
}

/** A real link: it can be opened in a new tab and copied. */
export const Link = ({
  to,
  search = "",
  children,
  className,
  current,
  onFollow,
}: {
  readonly to: ReadonlyArray<string>
  readonly search?: string | undefined
  readonly children: ReactNode
  readonly className?: string | undefined
  readonly current?: boolean | undefined
  readonly onFollow?: (() => void) | undefined
}): ReactNode => {
  const location = useLocation()
  const hash = writeAddress({ path: to, search })
  const follow = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    location.go(hash, "push")
    onFollow?.()
  }
  return (
    <a
      href={location.href(hash)}
      className={className}
      aria-current={current === true ? "page" : undefined}
      onClick={follow}
    >
      {children}
    </a>
  )
}
