import { useId, useState, type FormEvent, type ReactNode } from "react"
import { formatCount } from "../text/format.ts"
import { Text } from "../text/Text.tsx"
import { Button } from "./Button.tsx"
import { Dialog } from "./Dialog.tsx"
import css from "./Dialog.module.css"

export interface ConfirmDialogProps {
  /** A question: "Cancel these tasks?" */
  readonly title: string
  /** What will happen, in plain words. */
  readonly children: ReactNode
  /** How many would be affected, as the server counts them; undefined while it has not answered. */
  readonly count: number | undefined
  /** Of what: "tasks". */
  readonly things: string
  /** On the button: "Cancel tasks". */
  readonly action: string
  /** To be typed first: the count by itself, or a name. */
  readonly typed?: "count" | { readonly text: string; readonly what: string } | undefined
  readonly destructive?: boolean | undefined
  /** The server answered otherwise, such as with another count. */
  readonly problem?: string | undefined
  /** It was confirmed and is under way. */
  readonly busy?: boolean | undefined
  /** With the count that was shown: the server refuses where there are more by now. */
  readonly onConfirm: (count: number) => void
  readonly onClose: () => void
}

/** What cannot be undone is asked once more, with the server's count and not with what is on the screen. */
export const ConfirmDialog = ({
  title,
  children,
  count,
  things,
  action,
  typed,
  destructive = true,
  problem,
  busy = false,
  onConfirm,
  onClose,
}: ConfirmDialogProps): ReactNode => {
  const id = useId()
  // Typed for the count of that moment: another count asks anew.
  const [given, setGiven] = useState({ text: "", count })
  const text = given.count === count ? given.text : ""
  const wanted = typed === "count" ? (count === undefined ? undefined : String(count)) : typed?.text
  const fits = typed === undefined || (wanted !== undefined && text.trim() === wanted.trim())
  const ready = count !== undefined && fits && !busy
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) onConfirm(count)
  }
  return (
    <Dialog title={title} onClose={onClose} describedBy={`${id}-what`} part="confirm">
      <form onSubmit={submit} className={css["form"]}>
        <div id={`${id}-what`}>
          {children}
          <p>
            Affected now:{" "}
            <span className={css["count"]} data-part="count">
              {count === undefined ? "counting…" : `${formatCount(count)} ${things}`}
            </span>
          </p>
        </div>
        {typed !== undefined && wanted !== undefined && (
          <label className={css["typed"]}>
            <span>
              Type{" "}
              <code>
                <Text value={wanted} most={140} />
              </code>
              {typed === "count" ? ", the count," : `, ${typed.what},`} to go on
            </span>
            <input
              className={css["input"]}
              data-autofocus
              autoComplete="off"
              spellCheck={false}
              inputMode={typed === "count" ? "numeric" : "text"}
              value={text}
              onChange={(event) => setGiven({ text: event.target.value, count })}
            />
          </label>
        )}
        <p role="alert" data-part="problem">
          {problem}
        </p>
        <div className={css["actions"]}>
          <Button onPress={onClose} first={typed === undefined}>
            Keep as it is
          </Button>
          <Button submits tone={destructive ? "destructive" : "primary"} disabled={!ready}>
            {busy ? "Asking…" : action}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
