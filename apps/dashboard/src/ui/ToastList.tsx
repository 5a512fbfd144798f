import { CircleAlert, CircleCheck, Info, X } from "lucide-react"
import type { ReactNode } from "react"
import { useStore } from "../state/useStore.ts"
import { Text } from "../text/Text.tsx"
import { IconButton } from "./Button.tsx"
import type { Toasts } from "./toasts.ts"
import css from "./ToastList.module.css"

const icons = { info: Info, good: CircleCheck, bad: CircleAlert }
const words = { info: "Note: ", good: "Done: ", bad: "Failed: " }

export const ToastList = ({ toasts }: { readonly toasts: Toasts }): ReactNode => (
  <div className={css["list"]} role="status" aria-live="polite" aria-atomic="false" data-part="toasts">
    {useStore(toasts).map(({ id, tone, text }) => {
      const Icon = icons[tone]
      return (
        <div key={id} className={css["toast"]} data-tone={tone}>
          <Icon size={16} aria-hidden />
          <span className={css["text"]}>
            <span className="sj-hidden">{words[tone]}</span>
            <Text value={text} most={300} />
          </span>
          <IconButton label="Dismiss" onPress={() => toasts.remove(id)}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      )
    })}
  </div>
)
