import { createSessions, type Policy } from "@sojourn/core"
import type { FastifyInstance } from "fastify"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"

/** Serves the application on a free loopback port until the test ends; gives its address. */
export const listen = async (app: FastifyInstance): Promise<string> => {
  onTestFinished(() => app.close())
  await app.listen({ host: "127.0.0.1", port: 0 })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

/** A registry of counters; drained when the test ends. */
export const counters = (policy: Policy = {}) => {
  const sessions = createSessions({ name: "fastify-test", open: () => ({ turns: 0 }), ...policy })
  onTestFinished(async () => void (await sessions.drain({ finishWithin: 0 })))
  return sessions
}
