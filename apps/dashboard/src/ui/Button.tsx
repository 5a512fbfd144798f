import type { ReactNode, Ref } from "react"
import css from "./Button.module.css"

export interface ButtonProps {
  readonly onPress?: (() => void) | undefined
  readonly children: ReactNode
  /** Of a form: what it is sent with. */
  readonly submits?: boolean | undefined
  /** Where the focus goes in a dialog. */
  readonly first?: boolean | undefined
  readonly tone?: "plain" | "primary" | "destructive" | "quiet" | undefined
  readonly disabled?: boolean | undefined
  readonly pressed?: boolean | undefined
  readonly expanded?: boolean | undefined
  readonly describedBy?: string | undefined
  readonly title?: string | undefined
  readonly ref?: Ref<HTMLButtonElement> | undefined
  readonly part?: string | undefined
}

export const Button = ({
  onPress,
  children,
  submits = false,
  first = false,
  tone = "plain",
  disabled,
  pressed,
  expanded,
  describedBy,
  title,
  ref,
  part,
}: ButtonProps): ReactNode => (
  <button
    type={submits ? "submit" : "button"}
    data-autofocus={first || undefined}
    ref={ref}
    className={css["button"]}
    data-tone={tone}
    data-part={part}
    disabled={disabled}
    aria-pressed={pressed}
    aria-expanded={expanded}
    aria-describedby={describedBy}
    title={title}
    onClick={onPress}
  >
    {children}
  </button>
)

/** An icon alone, with its name for those who do not see it and for who points at it. */
export const IconButton = ({
  label,
  children,
  ...rest
}: Omit<ButtonProps, "tone" | "title"> & { readonly label: string }): ReactNode => (
  <Button {...rest} tone="quiet" title={label}>
    {children}
    <span className="sj-hidden">{label}</span>
  </Button>
)
