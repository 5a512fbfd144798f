import { Keyboard, Menu, Search } from "lucide-react"
import { Suspense, useEffect, useRef, useState, type ReactNode } from "react"
import { useCommands } from "../keys/useKeys.tsx"
import { ErrorBoundary } from "../ui/ErrorBoundary.tsx"
import { EmptyState } from "../ui/EmptyState.tsx"
import { IconButton } from "../ui/Button.tsx"
import { Popover } from "../ui/Popover.tsx"
import { Text } from "../text/Text.tsx"
import { Link, useAddress, useGo } from "../url/router.tsx"
import { Help } from "./Help.tsx"
import { pageOf, type Page } from "./pages.ts"
import { Palette } from "./Palette.tsx"
import { ThemeSelect } from "./ThemeSelect.tsx"
import css from "./Shell.module.css"

export interface ShellProps {
  /** The first one is where an empty address goes. */
  readonly pages: ReadonlyArray<Page>
  /** Whose sessions these are, or a choice of hosts. */
  readonly host?: ReactNode
  /** How it stands, in a sentence. */
  readonly health?: ReactNode
  /** `LiveControl` and `RateSelect`. */
  readonly live?: ReactNode
}

/** The bar on top, the navigation and the page of the address. */
export const Shell = ({ pages, host, health, live }: ShellProps): ReactNode => {
  const address = useAddress()
  const go = useGo()
  const [open, setOpen] = useState<"palette" | "help" | undefined>()
  const main = useRef<HTMLElement>(null)
  const first = pages[0]
  const found =
    address.path.length === 0 && first !== undefined ? { page: first, at: {} } : pageOf(pages, address)
  const place = address.path.join("/")
  const current = found?.page.under ?? found?.page.id
  const title = found?.page.title ?? "Not found"

  useEffect(() => {
    document.title = `${title} · Sojourn`
  }, [title])

  // Another page is read from its top; other filters of the same page are not another page.
  const before = useRef(place)
  useEffect(() => {
    if (before.current === place) return
    before.current = place
    main.current?.focus({ preventScroll: true })
    main.current?.scrollTo({ top: 0 })
  }, [place])

  useCommands([
    ...pages.flatMap(({ id, title: name, path, entry }) =>
      entry === undefined
        ? []
        : [
            {
              id: `go.${id}`,
              title: `Go to ${name}`,
              group: "Go to",
              keys: [`g ${entry.key}`],
              run: () => go(path),
            },
          ],
    ),
    {
      id: "palette",
      title: "Command palette",
      group: "Help",
      keys: ["Mod+k"],
      run: () => setOpen("palette"),
    },
    { id: "help", title: "Keyboard map", group: "Help", keys: ["?"], run: () => setOpen("help") },
  ])

  const navigation = (close: (() => void) | undefined) => (
    <ul className={css["entries"]}>
      {pages.flatMap(({ id, title: name, path, entry }) => {
        if (entry === undefined) return []
        const Icon = entry.icon
        return [
          <li key={id}>
            <Link to={path} current={id === current} className={css["entry"]} onFollow={close}>
              <Icon size={16} aria-hidden />
              {name}
            </Link>
          </li>,
        ]
      })}
    </ul>
  )

  return (
    <div className={css["shell"]}>
      <button type="button" className={css["skip"]} onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header className={css["bar"]}>
        <div className={css["brand"]}>
          <span className={css["menu"]}>
            <Popover
              label="Pages"
              part="menu"
              button={
                <>
                  <Menu size={16} aria-hidden />
                  <span className="sj-hidden">Pages</span>
                </>
              }
            >
              {(close) => <nav aria-label="Pages">{navigation(close)}</nav>}
            </Popover>
          </span>
          <strong>Sojourn</strong>
          {host}
        </div>
        <div className={css["health"]}>{health}</div>
        <div className={css["tools"]}>
          {live}
          <ThemeSelect />
          <IconButton label="Command palette (Ctrl K)" onPress={() => setOpen("palette")}>
            <Search size={16} aria-hidden />
          </IconButton>
          <IconButton label="Keyboard map (?)" onPress={() => setOpen("help")}>
            <Keyboard size={16} aria-hidden />
          </IconButton>
        </div>
      </header>
      <nav className={css["side"]} aria-label="Pages">
        {navigation(undefined)}
      </nav>
      <main ref={main} tabIndex={-1} className={css["main"]} aria-label={title}>
        <ErrorBoundary name={title} key={place}>
          <Suspense fallback={<p className="sj-note">Loading…</p>}>
            {found === undefined ? (
              <EmptyState page title="There is no such page.">
                <Text value={place} />
              </EmptyState>
            ) : (
              <found.page.view at={found.at} />
            )}
          </Suspense>
        </ErrorBoundary>
      </main>
      {/* Loaded with the rest: who types on after Ctrl K types into it, and not into the page. */}
      {open === "palette" && <Palette onClose={() => setOpen(undefined)} />}
      {open === "help" && <Help onClose={() => setOpen(undefined)} />}
    </div>
  )
}
