/**
 * What a live stream carries, each part with what it was at the last look. A part knows when each of its pieces changed, so that
 * what a viewer has not seen can be said to any viewer, however long ago it last was told: nothing is queued for anybody.
 */

/** What a viewer was last told. */
export interface Cursor {
  /** The look; -1: none, so it is told everything. */
  readonly seq: number
  /** The number of its last event. */
  readonly event: number
  /** Until when it has the past. Epoch milliseconds. */
  readonly past: number
}
/** What it is told now: JSON, and where that takes it. */
export interface Told {
  readonly json?: string | undefined
  readonly event?: number | undefined
  readonly past?: number | undefined
  readonly dropped?: number | undefined
}
export interface LivePart {
  readonly name: string
  /** Looks, and notes what has changed since the look before. */
  readonly look: (seq: number) => void
  readonly tell: (since: Cursor) => Told
}

/** Said as a whole whenever it is no longer the same. */
export class Whole implements LivePart {
  readonly name: string
  readonly #make: () => unknown
  #json = ""
  #changedAt = 0
  constructor(name: string, make: () => unknown) {
    this.name = name
    this.#make = make
  }
  readonly look = (seq: number): void => {
    const json = JSON.stringify(this.#make() ?? null)
    if (json === this.#json) return
    this.#json = json
    this.#changedAt = seq
  }
  readonly tell = ({ seq }: Cursor): Told => (this.#changedAt > seq ? { json: this.#json } : {})
}

interface Piece {
  json: string
  changedAt: number
}
/** Rows under their names, in an order, and fields beside them. */
export interface Rows {
  readonly rows: ReadonlyArray<readonly [name: string, row: unknown]>
  readonly fields: Readonly<Record<string, unknown>>
}

/** Said row by row: those that are new or have changed, and the order when it has. */
export class Listed implements LivePart {
  readonly name: string
  readonly #rowsName: string
  readonly #make: () => Rows
  #pieces = new Map<string, Piece>()
  readonly #fields = new Map<string, Piece>()
  readonly #order: Piece = { json: "", changedAt: 0 }
  constructor(name: string, rowsName: string, make: () => Rows) {
    this.name = name
    this.#rowsName = rowsName
    this.#make = make
  }
  readonly look = (seq: number): void => {
    const { fields, rows } = this.#make()
    for (const [name, value] of Object.entries(fields)) {
      const piece = this.#fields.get(name)
      const json = JSON.stringify(value)
      if (piece === undefined) this.#fields.set(name, { json, changedAt: seq })
      else change(piece, json, seq)
    }
    const pieces = new Map<string, Piece>()
    for (const [name, row] of rows) {
      const json = JSON.stringify(row)
      const piece = this.#pieces.get(name) ?? { json: "", changedAt: seq }
      change(piece, json, seq)
      pieces.set(name, piece)
    }
    // What has left the window is forgotten: if it comes back, it is new.
    this.#pieces = pieces
    change(this.#order, JSON.stringify([...pieces.keys()]), seq)
  }
  readonly tell = ({ seq }: Cursor): Told => {
    const parts: Array<string> = []
    for (const [name, { changedAt, json }] of this.#fields)
      if (changedAt > seq) parts.push(`"${name}":${json}`)
    const rows: Array<string> = []
    for (const { changedAt, json } of this.#pieces.values()) if (changedAt > seq) rows.push(json)
    const ordered = this.#order.changedAt > seq
    if (parts.length === 0 && rows.length === 0 && !ordered) return {}
    parts.push(`"${this.#rowsName}":[${rows.join(",")}]`)
    if (ordered) parts.push(`"order":${this.#order.json}`)
    return { json: `{${parts.join(",")}}` }
  }
}
const change = (piece: Piece, json: string, seq: number): void => {
  if (piece.json === json) return
  piece.json = json
  piece.changedAt = seq
}

/** What only ever grows: each viewer is told what came since it was told last. */
export class Growing implements LivePart {
  readonly name: string
  readonly tell: (since: Cursor) => Told
  constructor(name: string, tell: (since: Cursor) => Told) {
    this.name = name
    this.tell = tell
  }
  readonly look = (): void => {}
}
