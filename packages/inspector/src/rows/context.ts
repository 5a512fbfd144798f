import type { Names } from "../names/Names.ts"

/** What rows are made with, besides what they show. */
export interface RowContext {
  readonly names: Names
  readonly warnings: {
    /** Active ones of a session, by its canonical key. */
    readonly countOf: (kind: string, key: string) => number
    readonly any: boolean
  }
  readonly isPinned: (kind: string, key: string) => boolean
}
