import type { ReactNode } from "react"
import { shownKeys } from "../keys/strokes.ts"
import css from "./Keys.module.css"

const mac = (): boolean => typeof navigator !== "undefined" && /Mac|iPhone|iPad/u.test(navigator.userAgent)

export const Keys = ({ keys }: { readonly keys: string }): ReactNode => (
  <span className={css["keys"]}>
    {shownKeys(keys, mac()).map((key, index) => (
      // The same key may come twice, and none moves.
      // oxlint-disable-next-line react/no-array-index-key
      <kbd key={index} className={css["key"]}>
        {key}
      </kbd>
    ))}
  </span>
)
