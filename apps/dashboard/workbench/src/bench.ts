import { createContext, useContext } from "react"
import type { Live } from "../../src/live/Live.ts"
import type { Model } from "./model.ts"
import type { Delta, Question } from "./rows.ts"
import type { Script } from "./source.ts"

export interface Bench {
  readonly live: Live<Model, Delta>
  readonly server: Script
  readonly first: Question
}
export const BenchContext = createContext<Bench | undefined>(undefined)
export const useBench = (): Bench => {
  const bench = useContext(BenchContext)
  if (bench === undefined) throw new Error("Outside of the workbench.")
  return bench
}

/** How often the page that shows all charts was rendered. */
export const renders = { count: 0 }
