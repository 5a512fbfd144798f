/** An HTTP server on its way out: takes no new connection, ends each one as soon as its answer is written, then all of them. */
import type { Server } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"

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
  const sweep = setInterval(() => {
    if (!server.listening) server.closeIdleConnections()
  }, sweepEvery)
  return async () => {
    await Promise.race([closed, sleep(flushWithin)])
    clearInterval(sweep)
    server.closeAllConnections()
  }
}

/**
 * Milliseconds in which what is on its way is still taken: a connection accepted, its request read and refused by the
 * draining sessions. A connection closed before its request was read is reset, and that client would be told nothing.
 */
const lastMoments = 200

const close = async (server: Server): Promise<void> => {
  await sleep(lastMoments)
  // It also "fails" when the server was not listening: either way there is nothing to wait for.
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
