import { breakOff, isClosed, type Feed } from "@sojourn/http"
import { Readable } from "node:stream"
import type { AnyReply } from "./fastify.ts"

/**
 * Answers with headers as soon as they are known, and then with the feed, through Fastify: its hooks and the headers set
 * before count. A client that leaves, or an answer that cannot be made, leaves the feed. Resolves when the answer is
 * complete or given up.
 */
export const answer = async (
  reply: AnyReply,
  feed: Feed,
  headers: () => Promise<Readonly<Record<string, string>>>,
): Promise<void> => {
  reply.raw.once("close", () => feed.leave())
  try {
    if (isClosed(reply.raw)) feed.leave()
    reply.headers(await headers())
  } catch (error) {
    feed.leave()
    throw error
  }
  if (isClosed(reply.raw)) return
  // An answer to HEAD has no body, and nothing would slow down what is written into it.
  if (reply.request.method === "HEAD") feed.leave()
  const body = Readable.from(feed)
  body.once("resume", () => {
    // Fastify has set its headers when it begins to read, and would send them with the first element only. Where a hook
    // reads the body they are not set yet.
    if (reply.raw.hasHeader("content-type") && !reply.raw.headersSent) reply.raw.flushHeaders()
  })
  // Fastify ends it as well, but so that over HTTP/2 it looks complete.
  body.once("error", () => {
    if (reply.raw.headersSent) breakOff(reply.raw)
  })
  await reply.send(body)
}
