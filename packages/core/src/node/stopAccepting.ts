/** An HTTP server on its way out: takes no new connection, ends each one as soon as its answer is written, then all of them. */
import type { Server } from "node:http"
import { setImmediate as nextRound, setTimeout as sleep } from "node:timers/promises"

/** Milliseconds: how soon a connection that has become idle is closed. */
const sweepEvery = 50
/** Milliseconds: how long answers may take to be written once the sessions are gone. */
const flushWithin = 1000

/** From now on nobody new comes in. The result ends what is left; its promise never rejects. */
export const stopAccepting = (server: Server): (() => Promise<void>) => {
  // Requests may still come in over connections that are busy now: their clients are told to use them no further.
  server.prependListener("request", (_request, response) => response.setHeader("connection", "close"))
  const closed = close(server)
  // It also keeps the process alive until the end: with no connection left, the timers of a drain alone might not.
  const sweep = setInterval(() => server.closeIdleConnections(), sweepEvery)
  return async () => {
    await Promise.race([closed, sleep(flushWithin)])
    clearInterval(sweep)
    server.closeAllConnections()
  }
}

/**
 * Rounds of the event loop in which what has already arrived is still taken: its connection accepted, its request read.
 * A connection closed with a request unread is reset, and that client would be told nothing.
 */
const lastRounds = 3

const close = async (server: Server): Promise<void> => {
  for (let round = 0; round < lastRounds; round++) await nextRound()
  // It also "fails" when the server was not listening: either way there is nothing to wait for.
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
