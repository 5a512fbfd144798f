import {
  createContext,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useState,
  type ReactNode,
} from "react"
import { Commands } from "../keys/Commands.ts"
import { CommandsProvider, useKeys } from "../keys/useKeys.tsx"
import type { Prefs } from "../state/prefs.ts"
import type { Writable } from "../state/Store.ts"
import { useStore } from "../state/useStore.ts"
import { coloursChanged, useTheme, type Theme } from "../theme/theme.ts"
import { Announcer } from "../ui/Announcer.ts"
import { Announcements } from "../ui/Announcements.tsx"
import { Toasts } from "../ui/toasts.ts"
import { ToastList } from "../ui/ToastList.tsx"
import { LocationProvider } from "../url/router.tsx"
import type { Location } from "../url/Location.ts"

interface RootValue {
  readonly prefs: Writable<Prefs>
  readonly theme: Theme
  readonly announcer: Announcer
  readonly toasts: Toasts
}
const RootContext = createContext<RootValue | undefined>(undefined)

export const useRoot = (): RootValue => {
  const value = useContext(RootContext)
  if (value === undefined) throw new Error("Views are rendered inside a Root.")
  return value
}

export interface RootProps {
  readonly location: Location
  readonly prefs: Writable<Prefs>
  readonly children: ReactNode
  /** Colours come from the page around it, under shadcn's names. */
  readonly inheritTokens?: boolean | undefined
  /** Keys are listened to in the whole page, and not only where the focus is inside. */
  readonly wholePage?: boolean | undefined
  readonly className?: string | undefined
}

/** What all views stand in, in a page of their own or in somebody else's. */
export const Root = ({
  location,
  prefs,
  children,
  inheritTokens,
  wholePage,
  className,
}: RootProps): ReactNode => {
  const { theme: choice, singleKeys } = useStore(prefs)
  const theme = useTheme(choice)
  const [announcer] = useState(() => new Announcer())
  const [toasts] = useState(() => new Toasts())
  const [commands] = useState(() => new Commands())
  const [element, setElement] = useState<HTMLElement | null>(null)
  useKeys(commands, wholePage === true ? document : element, { singleKeys })
  useLayoutEffect(() => coloursChanged.set(coloursChanged.get() + 1), [theme])
  useEffect(() => {
    if (wholePage !== true) return
    document.documentElement.style.colorScheme = theme
  }, [theme, wholePage])
  useEffect(() => () => announcer[Symbol.dispose](), [announcer])
  const value = useMemo(() => ({ prefs, theme, announcer, toasts }), [prefs, theme, announcer, toasts])
  return (
    <RootContext value={value}>
      <LocationProvider location={location}>
        <CommandsProvider commands={commands}>
          <div
            ref={setElement}
            className={className === undefined ? "sojourn" : `sojourn ${className}`}
            data-theme={theme}
            data-tokens={inheritTokens === true ? "inherit" : undefined}
          >
            {children}
            <ToastList toasts={toasts} />
            <Announcements announcer={announcer} />
          </div>
        </CommandsProvider>
      </LocationProvider>
    </RootContext>
  )
}
