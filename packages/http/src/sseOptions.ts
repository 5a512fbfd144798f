import type { Options, Time } from "@sojourn/core"
import { checkedFunction, invalidOption, milliseconds, resolveNames } from "@sojourn/core/host"
import { ownHeaders } from "./ownHeaders.ts"
import { publicError } from "./problem.ts"

export type SseOptions<A> = Options<{
  /** Beside, or instead of, our own. */
  readonly headers: Readonly<Record<string, string>>
  /** The `data` of an element. What it throws ends the stream, as an error of the application. JSON. */
  readonly encode: (element: A) => string
  /** The `data` of the event a failed stream ends with; `undefined`: no such event. `{ error: { tag, reason } }` as JSON. */
  readonly encodeError: (error: unknown) => string | undefined
  /** The `data` of one last event after a stream that ended well. None. */
  readonly done: string
  /** A comment after so much silence: proxies close what says nothing for a minute, some after 30 seconds. 15 seconds; 1 second. */
  readonly keepAlive: Time
  /** How long a browser waits before it comes back; it is told at the beginning. At most 24 days. The browser's own: some seconds. */
  readonly retry: Time
  /**
   * When the registry begins to drain: go on to the stream's own end for as long as the drain allows, or end the answer
   * at once, so that the browser comes back, to another process. That cancels a stream that is not resumable. "finish".
   */
  readonly onDrain: "finish" | "end"
}>

export interface ResolvedSse<A> {
  readonly encode: (element: A) => string
  readonly encodeError: (error: unknown) => string | undefined
  readonly done: string | undefined
  /** Milliseconds. */
  readonly keepAlive: number
  /** Whole milliseconds. */
  readonly retry: number | undefined
  readonly onDrain: "finish" | "end"
}

const longest = 2 ** 31 - 1

/** @throws SessionMisuse `InvalidOption` */
export const resolveSse = <A>(given: SseOptions<A>): ResolvedSse<A> => {
  resolveNames(given, ["headers", "encode", "encodeError", "done", "keepAlive", "retry", "onDrain"])
  ownHeaders(given.headers)
  const { encode = asJson, encodeError = errorAsJson, done, onDrain = "finish" } = given
  checkedFunction("encode", encode)
  checkedFunction("encodeError", encodeError)
  if (done !== undefined && typeof done !== "string") throw invalidOption("done: a text is allowed.")
  if (onDrain !== "finish" && onDrain !== "end") throw invalidOption('onDrain: "finish" or "end" is allowed.')
  return {
    encode,
    encodeError,
    done,
    keepAlive: milliseconds("keepAlive", given.keepAlive, 15_000, 1000),
    // A browser takes digits only, so what is longer, or endless, is the longest that can be told.
    retry:
      given.retry === undefined
        ? undefined
        : Math.min(Math.ceil(milliseconds("retry", given.retry, 0)), longest),
    onDrain,
  }
}
const asJson = (element: unknown): string => JSON.stringify(element) ?? "null"
const errorAsJson = (error: unknown): string => JSON.stringify(publicError(error))

/**
 * `no-transform` also keeps compression away, which would hold events back; nginx is told not to collect them.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const sseHeaders = (own: Readonly<Record<string, string>> | undefined): Record<string, string> => ({
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
  ...ownHeaders(own),
})
