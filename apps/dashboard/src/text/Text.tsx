import type { ReactNode } from "react"
import { formatCount } from "./format.ts"
import { visible } from "./visible.ts"

/** Any text that did not come from this page's own source: isolated in direction, bounded, everything in it visible. */
export const Text = ({ value, most }: { readonly value: string; readonly most?: number }): ReactNode => {
  const { text, cutFrom } = visible(value, most)
  return (
    <>
      <bdi>{text}</bdi>
      {cutFrom !== undefined && <span className="sj-note"> ({formatCount(cutFrom)} characters)</span>}
    </>
  )
}
