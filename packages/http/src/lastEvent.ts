import { randomBytes } from "node:crypto"

/**
 * The ids of server-sent events: `stream:index`. With the index alone, a browser that reconnects after a newer stream
 * has begun would be given that one from the middle. The stream's own id is unique in its process only, so that is named
 * as well: a browser that comes back to another one, after a deploy, must not be given a stream that happens to have the
 * same number.
 */
export interface LastEvent {
  readonly stream: string | undefined
  /** How many elements the client has. */
  readonly index: number
}

const slot: unique symbol = Symbol.for("@sojourn/http/process") as never
const shared: { [slot]?: string } = globalThis as object
const here = (shared[slot] ??= `.${randomBytes(6).toString("hex")}`)

export const eventId = (stream: string, index: number): string => `${stream}${here}:${index}`

/** `Last-Event-ID` is the client's word, so only a whole number, alone or behind a stream's id; anything else is as good as none. */
export const lastEvent = (header: string | undefined): LastEvent | undefined => {
  if (header === undefined) return undefined
  const [, stream, index] = /^(?:([!-9;-~]{1,128}):)?(\d{1,15})$/.exec(header) ?? []
  if (index === undefined) return undefined
  return {
    stream: stream === undefined ? undefined : withoutProcess(stream),
    index: Number(index),
  }
}
/** One of another process keeps its name, and so is not found. */
const withoutProcess = (stream: string): string =>
  stream.length > here.length && stream.endsWith(here) ? stream.slice(0, -here.length) : stream
