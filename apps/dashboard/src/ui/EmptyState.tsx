import { Inbox } from "lucide-react"
import type { ReactNode } from "react"
import css from "./EmptyState.module.css"

/** Nothing to show: why, and what to do to see something. */
export const EmptyState = ({
  title,
  children,
  command,
  page = false,
}: {
  readonly title: string
  readonly children?: ReactNode
  /** One command or line of code that makes something to see. */
  readonly command?: string | undefined
  /** It is all there is on the page, and so its heading. */
  readonly page?: boolean | undefined
}): ReactNode => (
  <div className={css["empty"]} data-part="empty">
    <Inbox size={28} aria-hidden />
    {page ? <h1 className={css["title"]}>{title}</h1> : <p className={css["title"]}>{title}</p>}
    {children !== undefined && <div className="sj-note">{children}</div>}
    {command !== undefined && <pre className={css["command"]}>{command}</pre>}
  </div>
)
