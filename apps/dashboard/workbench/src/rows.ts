/** What the scripted server and the page say to each other. */
import type { Frame } from "../../src/live/Source.ts"

export const states = ["Ready", "Opening", "Restarting", "Closing", "Quarantined", "Backoff"] as const
export type State = (typeof states)[number]

export const columns = ["name", "kind", "state", "queued", "running", "turns", "age", "waited"] as const
export type ColumnId = (typeof columns)[number]

export interface SessionRow {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly state: State
  readonly queued: number
  readonly running: number
  readonly turns: number
  readonly openedAt: number
  readonly idleSince: number | undefined
  readonly closesAt: number | undefined
  readonly queuedMs: number
  readonly runningMs: number
  readonly suspendedMs: number
  readonly recent: ReadonlyArray<number | null>
}

export interface Question {
  readonly sort: ColumnId
  readonly descending: boolean
  readonly state: ReadonlyArray<State>
  readonly text: string
  readonly offset: number
  readonly limit: number
  readonly everyMs: number
}

/** As a server would send it: only what has changed. */
export interface Delta {
  readonly total?: number
  readonly offset?: number
  readonly rows: ReadonlyArray<SessionRow>
  readonly order?: ReadonlyArray<string>
  readonly facets?: Readonly<Record<State, number>>
  /** Of the charts: the newest point, or all of them in a full frame. */
  readonly points: ReadonlyArray<Point>
}

export interface Point {
  readonly at: number
  readonly running: number | null
  readonly queued: number | null
  readonly suspended: number | null
  readonly stallMs: number | null
  readonly latency: ReadonlyArray<number> | null
}

export const latencyBounds: ReadonlyArray<number> = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
]

export type ToServer =
  | { readonly say: "size"; readonly rows: number; readonly hostile: boolean; readonly live: boolean }
  | {
      readonly say: "open"
      readonly connection: number
      readonly question: Question
      readonly fresh: boolean
    }
  | { readonly say: "close"; readonly connection: number }
  /** So many steps of the script, and a frame. */
  | { readonly say: "tick"; readonly steps: number }
  /** The server drops events. */
  | { readonly say: "drop"; readonly events: number }
export type FromServer =
  | { readonly connection: number; readonly frame: Frame<Delta> }
  | { readonly connection: number; readonly ticked: true }
