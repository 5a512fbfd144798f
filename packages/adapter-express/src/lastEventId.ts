/**
 * The ids of server-sent events: `stream:index`. With the index alone, a browser that reconnects after a newer stream
 * has begun would be given that one from the middle.
 */
import type { AnyRequest } from "./requestKey.ts"

export interface LastEvent {
  readonly stream: string | undefined
  /** How many elements the client has. */
  readonly index: number
}

export const eventId = (stream: string, index: number): string => `${stream}:${index}`

/** The client's word, so only a whole number, alone or behind a stream's id; anything else is as good as none. */
export const lastEvent = (req: AnyRequest): LastEvent | undefined => {
  const [, stream, index] = /^(?:([!-9;-~]{1,128}):)?(\d{1,15})$/.exec(req.get("last-event-id") ?? "") ?? []
  return index === undefined ? undefined : { stream, index: Number(index) }
}
