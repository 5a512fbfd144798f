import { X } from "lucide-react"
import { useEffect, useId, useRef, type ReactNode } from "react"
import { IconButton } from "./Button.tsx"
import css from "./Dialog.module.css"

export interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
  readonly describedBy?: string | undefined
  readonly wide?: boolean | undefined
  /** The title is for those who do not see the dialog; there is no close button. */
  readonly bare?: boolean | undefined
  readonly part?: string | undefined
}

/**
 * The browser's own modal dialog: it keeps the focus inside, makes the rest inert, closes on Escape, and gives the focus
 * back to where it was. Rendered while it is open.
 */
export const Dialog = ({
  title,
  onClose,
  children,
  describedBy,
  wide,
  bare,
  part,
}: DialogProps): ReactNode => {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = ref.current
    if (dialog === null) return
    const before = document.activeElement
    dialog.showModal()
    dialog.querySelector<HTMLElement>("[data-autofocus]")?.focus()
    return () => {
      dialog.close()
      // What opened it may have gone with what it did.
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={ref}
      className={css["dialog"]}
      data-wide={wide}
      data-part={part}
      aria-labelledby={id}
      aria-describedby={describedBy}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onPointerDown={(event) => {
        if (event.target === ref.current) onClose()
      }}
    >
      <div className={css["inside"]}>
        <header className={bare === true ? "sj-hidden" : css["head"]}>
          <h2 id={id}>{title}</h2>
          {bare !== true && (
            <IconButton label="Close" onPress={onClose}>
              <X size={16} aria-hidden />
            </IconButton>
          )}
        </header>
        {children}
      </div>
    </dialog>
  )
}
