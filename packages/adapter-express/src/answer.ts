import { writeAll, type Feed } from "@sojourn/http"
import type { ServerResponse } from "node:http"

/**
 * Answers with headers as soon as they are known, and then with the feed. A client that leaves before that, or an answer
 * that cannot be made, leaves the feed as well.
 */
export const answer = async (
  res: ServerResponse,
  feed: Feed,
  headers: () => Promise<Readonly<Record<string, string>>>,
): Promise<void> => {
  const leave = (): void => feed.leave()
  res.once("close", leave)
  try {
    if (res.closed) leave()
    for (const [name, value] of Object.entries(await headers())) res.setHeader(name, value)
    // At once, so that the client knows before there is anything to read.
    res.flushHeaders()
  } catch (error) {
    leave()
    // Nobody is there to be told, and that may be what went wrong.
    if (res.closed) return
    throw error
  } finally {
    res.off("close", leave)
  }
  await writeAll(res, feed)
}
