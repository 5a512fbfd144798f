import { isSessionError, type Options, type SessionStream } from "@sojourn/core"
import type { Response } from "express"
import { once } from "node:events"
import { hasLeft, isClientGone } from "./clientGone.ts"
import { eventId } from "./lastEventId.ts"
import { publicError } from "./sessionErrors.ts"

export type SendSseOptions<A> = Options<{
  /** Beside, or instead of, our own. */
  readonly headers: Readonly<Record<string, string>>
  /** The `data` of an element. JSON. */
  readonly encode: (element: A) => string
  /** The `data` of one last event after a stream that ended well. None. */
  readonly done: string
}>

/** Milliseconds. Proxies close what is silent for a minute, some after 30 seconds. */
const keepAliveEvery = 15_000

/**
 * Answers with server-sent events: an id for each element (`stream:index`, which `fromRequest` understands when the
 * browser comes back), a comment every 15 seconds, at the client's pace. `undefined`, what `resume` gives when nothing
 * runs: 204, at which an `EventSource` stops asking.
 *
 * Headers wait until the turn has begun: what keeps it from beginning rejects here, and is still a status. What goes
 * wrong later becomes an `event: error` with `{ error: { tag, reason } }` as data; an error that is not ours is also
 * thrown once that is sent, for your own logging. A client that leaves cancels the stream, unless it is resumable.
 */
export const sendSse = async <A>(
  res: Response,
  stream: SessionStream<A> | undefined,
  options: SendSseOptions<A> = {},
): Promise<void> => {
  if (stream === undefined) {
    res.setHeader("cache-control", "no-store")
    res.status(204).end()
    return
  }
  const leave = (): void => void stream[Symbol.asyncDispose]()
  res.once("close", leave)
  if (res.closed) leave()
  try {
    await stream.started
    if (res.closed) return
    sendHeaders(res, options.headers)
    await sendElements(res, stream, options)
  } catch (error) {
    if (!res.headersSent) throw error
    if (!hasLeft(res)) await finish(res, `event: error\n${data(JSON.stringify(publicError(error)))}`)
    if (!isSessionError(error) && !isClientGone(res, error)) throw error
  } finally {
    res.off("close", leave)
  }
}

const sendHeaders = (res: Response, own: Readonly<Record<string, string>> | undefined): void => {
  const headers = {
    "content-type": "text/event-stream",
    // `no-transform` also keeps compression away, which would hold events back.
    "cache-control": "no-cache, no-transform",
    // nginx would collect the answer first.
    "x-accel-buffering": "no",
    ...own,
  }
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.flushHeaders()
}

const sendElements = async <A>(
  res: Response,
  stream: SessionStream<A>,
  options: SendSseOptions<A>,
): Promise<void> => {
  const encode = options.encode ?? ((element: A) => JSON.stringify(element) ?? "null")
  const keepAlive = setInterval(() => {
    if (!res.writableNeedDrain) res.write(": keep-alive\n\n")
  }, keepAliveEvery).unref()
  try {
    for await (const [index, element] of stream.entries()) {
      await write(res, `id: ${eventId(stream.id, index)}\n${data(encode(element))}`)
      if (res.closed) return
    }
    await finish(res, options.done === undefined ? "" : data(options.done))
  } finally {
    clearInterval(keepAlive)
  }
}

/** A line break of any kind would end the field. */
const data = (text: string): string =>
  `${text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join("")}\n`

/** Waits until the client has taken what it was sent, or is gone. */
const write = async (res: Response, text: string): Promise<void> => {
  if (res.closed || res.write(text)) return
  const settled = new AbortController()
  try {
    await Promise.race([once(res, "drain", settled), once(res, "close", settled)])
  } finally {
    settled.abort()
  }
}

const finish = async (res: Response, text: string): Promise<void> => {
  if (res.closed) return
  const closed = once(res, "close")
  res.end(text)
  await Promise.race([closed, once(res, "finish")])
}
