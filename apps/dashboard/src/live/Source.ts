/** Where frames come from. What the inspector's live stream sends has this form. */

export interface Frame<Delta> {
  /** Number of the look; a gap was coalesced by the server, and nothing is lost by it. */
  readonly seq: number
  /** When the server looked, by its clock. Epoch milliseconds. */
  readonly t: number
  /** Events that this viewer has not been told since it connected. */
  readonly dropped: number
  /** It holds everything: what came before is to be forgotten. */
  readonly full: boolean
  readonly delta: Delta
}

export interface FrameSource<Delta> {
  /**
   * One connection. It ends when the connection does; it throws what kept it from going on. `after`: the number of the last
   * frame that was seen, to go on from there if the server still can.
   */
  readonly frames: (options: {
    readonly after: number | undefined
    readonly signal: AbortSignal
  }) => AsyncIterable<Frame<Delta>>
  /** Trying again makes no sense: may not look, no such thing. Without it everything is tried again. */
  readonly isFinal?: ((error: unknown) => boolean) | undefined
}
