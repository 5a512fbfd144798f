import { EventEmitter } from "node:events"
import type { Writable } from "node:stream"
import { breakOff, isClosed, type NodeResponse } from "./clientGone.ts"

/** Something to send that can be left at any time. */
export interface Feed extends AsyncIterable<string | Uint8Array> {
  readonly leave: () => void
}

/**
 * Answers with the feed, at the client's pace, and ends the answer; the headers are yours to send before. A client that
 * leaves, leaves the feed, and so does HEAD, whose answer has no body. What the feed rejects with breaks the answer off,
 * so that the client does not take a part for the whole, and rejects here.
 */
export const writeAll = async (res: NodeResponse, feed: Feed): Promise<void> => {
  const body: Writable = res
  const leave = (): void => feed.leave()
  res.once("close", leave)
  // One for all waits: compression keeps listeners for "drain" on a stream of its own, and lets go of none.
  const pace = new EventEmitter()
  const drained = (): void => void pace.emit("drain")
  res.on("drain", drained)
  // What is written to HEAD goes nowhere, so nothing would slow it down.
  if (isClosed(res) || res.req.method === "HEAD") leave()
  try {
    for await (const chunk of feed) {
      if (isClosed(res)) return
      // Around an empty chunk Node 24 sends bytes over HTTP/2 that nobody wrote.
      if (chunk.length === 0) continue
      if (!body.write(chunk)) await eitherOf(res, [pace, "drain"], [res, "close"])
    }
    if (isClosed(res)) return
    res.end()
    await eitherOf(res, [res, "finish"], [res, "close"])
  } catch (error) {
    breakOff(res)
    throw error
  } finally {
    res.off("drain", drained)
    res.off("close", leave)
    // A feed whose `next` or whose chunk failed has not been left by that.
    leave()
  }
}

/** By hand: `once` with a signal makes an error, with its stack, for each wait that is over. */
const eitherOf = (
  res: NodeResponse,
  ...events: ReadonlyArray<readonly [of: EventEmitter, event: string]>
): Promise<void> =>
  new Promise((resolve, reject) => {
    if (isClosed(res)) return resolve()
    const settle = (): void => {
      stop()
      resolve()
    }
    const fail = (error: unknown): void => {
      stop()
      reject(error)
    }
    const stop = (): void => {
      for (const [of, event] of events) of.off(event, settle)
      res.off("error", fail)
    }
    for (const [of, event] of events) of.on(event, settle)
    res.on("error", fail)
  })
