import type { ReactNode } from "react"
import { useStore } from "../state/useStore.ts"
import { visible } from "../text/visible.ts"
import type { Announcer } from "./Announcer.ts"

export const Announcements = ({ announcer }: { readonly announcer: Announcer }): ReactNode => (
  <div className="sj-hidden" role="status" aria-live="polite" aria-atomic="true" data-part="announcements">
    {visible(useStore(announcer.said), 300).text}
  </div>
)
