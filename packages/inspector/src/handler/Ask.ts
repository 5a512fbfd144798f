/** A request and an answer, whatever the host. */
export interface Ask {
  readonly method: string
  /** Below where the inspector is mounted, beginning with a slash, without the query. */
  readonly path: string
  readonly query: string
  /** By its name in small letters. */
  readonly header: (name: string) => string | undefined
  /** The other end of the socket, where the host knows it. */
  readonly address: string | undefined
  /** What came, as JSON; refused where it is too large or is none. */
  readonly json: () => Promise<unknown>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | LiveBody | ReadableStream<Uint8Array>
}

/** A body that goes on: whoever sends it takes the next text when the last one is on its way, and never sooner. */
export interface LiveBody {
  /** Text that is to be sent now; undefined: `onNews` will say when there is more. */
  readonly take: () => string | undefined
  /** `onOver`: it ends. `cut`: at once, as nobody takes what it has. */
  readonly start: (onNews: () => void, onOver: (cut: boolean) => void) => void
  /** Nobody reads it any more. */
  readonly leave: () => void
}

/** Of a body that nobody will read. */
export const leave = (body: LiveBody | ReadableStream<Uint8Array>): void => {
  if (body instanceof ReadableStream) body.cancel().catch(() => {})
  else body.leave()
}
