import { createAdaptorServer } from "@hono/node-server"
import { createSessions, type Policy } from "@sojourn/core"
import type { Hono } from "hono"
import { once } from "node:events"
import { createServer } from "node:http2"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"

/** Serves the application on a free loopback port until the test ends; gives its address. */
export const listen = async (app: Hono, over: "HTTP/1.1" | "HTTP/2" = "HTTP/1.1"): Promise<string> => {
  const server = createAdaptorServer(
    over === "HTTP/2" ? { fetch: app.fetch, createServer } : { fetch: app.fetch },
  )
  await once(server.listen(0, "127.0.0.1"), "listening")
  onTestFinished(async () => {
    if ("closeAllConnections" in server) server.closeAllConnections()
    await server[Symbol.asyncDispose]()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A registry of counters; drained when the test ends. */
export const counters = (policy: Policy = {}) => {
  const sessions = createSessions({ name: "hono-test", open: () => ({ turns: 0 }), ...policy })
  onTestFinished(async () => void (await sessions.drain({ finishWithin: 0 })))
  return sessions
}
