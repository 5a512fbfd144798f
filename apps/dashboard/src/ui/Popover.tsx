import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from "react"
import css from "./Popover.module.css"

/**
 * A button and what it opens: the browser's own popover, which closes on Escape and on a press elsewhere. Placed below the
 * button, inside the window.
 */
export const Popover = ({
  label,
  button,
  children,
  part,
}: {
  /** Of the panel, and of the button if that shows only an icon. */
  readonly label: string
  readonly button: ReactNode
  readonly children: (close: () => void) => ReactNode
  readonly part?: string | undefined
}): ReactNode => {
  const id = useId()
  const panel = useRef<HTMLDivElement>(null)
  const opener = useRef<HTMLButtonElement>(null)
  const [open, setOpen] = useState(false)
  const close = () => document.getElementById(id)?.hidePopover()
  useEffect(() => {
    const element = panel.current
    if (element === null) return
    const toggled = (event: ToggleEvent) => setOpen(event.newState === "open")
    element.addEventListener("toggle", toggled)
    return () => element.removeEventListener("toggle", toggled)
  }, [])
  // What is in it is there only now.
  useLayoutEffect(() => {
    const element = panel.current
    const anchor = opener.current
    if (!open || element === null || anchor === null) return
    const place = () => {
      const from = anchor.getBoundingClientRect()
      const width = element.offsetWidth
      const height = element.offsetHeight
      const below = from.bottom + 4
      const top = below + height > innerHeight - 8 ? Math.max(8, from.top - 4 - height) : below
      element.style.left = `${Math.max(8, Math.min(from.left, innerWidth - width - 8))}px`
      element.style.top = `${top}px`
    }
    place()
    element.querySelector<HTMLElement>("[data-autofocus], input:enabled, button:enabled, a[href]")?.focus()
    window.addEventListener("resize", place)
    return () => window.removeEventListener("resize", place)
  }, [open])
  return (
    <>
      <button
        type="button"
        ref={opener}
        className={css["opener"]}
        popoverTarget={id}
        aria-expanded={open}
        aria-haspopup="dialog"
        data-part={part}
      >
        {button}
      </button>
      <div ref={panel} id={id} popover="auto" role="dialog" aria-label={label} className={css["panel"]}>
        {open && children(close)}
      </div>
    </>
  )
}
