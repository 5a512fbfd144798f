import { TriangleAlert } from "lucide-react"
import { useEffect, type ReactNode } from "react"
import { useRoot } from "../../src/shell/Root.tsx"
import { useSelected } from "../../src/state/useStore.ts"
import { formatCount } from "../../src/text/format.ts"
import { Mark } from "../../src/ui/Mark.tsx"
import { useBench } from "./bench.ts"

export const Health = (): ReactNode => {
  const { live } = useBench()
  const { announcer } = useRoot()
  const bad = useSelected(live, ({ state }) => state.facets?.Quarantined)
  const text = bad === undefined ? "" : `${formatCount(bad)} sessions are quarantined.`
  useEffect(() => {
    if (text !== "") announcer.say(text)
  }, [announcer, text])
  if (text === "") return null
  return (
    <Mark tone="warn" icon={TriangleAlert}>
      {text}
    </Mark>
  )
}
