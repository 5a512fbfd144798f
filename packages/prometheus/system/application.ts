/** An Express application as in the guide: sessions of its visitors, and its metrics, as text and as OpenMetrics. */
import { once } from "node:events"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as pass } from "node:timers/promises"
import { trace } from "@opentelemetry/api"
import { createSessions } from "@sojourn/core"
import { fromRequest, sessionErrors } from "@sojourn/express"
import express, { type Request } from "express"
import { Registry } from "prom-client"
import { collectSessionMetrics } from "../src/index.ts"

interface Answered {
  readonly status: number
  readonly traceId: string
}
export interface Application extends AsyncDisposable {
  readonly port: number
  /** The status of the answer, and the trace it was made in. */
  readonly post: (user: string, path: string) => Promise<Answered>
  readonly text: (path: string) => Promise<string>
}

export const users = ["alice", "nobody", ...Array.from({ length: 5 }, (_, number) => `user${number}`)]

const fails = (): never => {
  throw new Error("odd")
}
const metrics = (register: Registry) => async (_: Request, response: express.Response) => {
  response.type(register.contentType).send(await register.metrics())
}

export const application = async (): Promise<Application> => {
  const register = new Registry()
  const openMetrics = new Registry()
  openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  const collections = [
    collectSessionMetrics(register),
    collectSessionMetrics(openMetrics, { exemplars: true }),
  ]
  const hangs = Promise.withResolvers<void>()
  const sessions = createSessions({
    name: "counter",
    open: ({ key }) => {
      if (key.includes("nobody")) throw new Error("there is no such counter")
      return { count: 0 }
    },
    maxQueued: 1,
    timeouts: { grace: 50, close: 200 },
  })
  const tokens = new Map(users.map((user) => [`Bearer token of ${user}`, user]))
  const counter = fromRequest(sessions, {
    owner: (request: Request) => tokens.get(request.get("authorization") ?? ""),
  })
  const app = express()
  // As the instrumentation of HTTP does it.
  app.use((request, response, next) => {
    trace.getTracer("application").startActiveSpan(`${request.method} ${request.path}`, (span) => {
      response.set("x-trace-id", span.spanContext().traceId)
      response.on("close", () => span.end())
      next()
    })
  })
  app.post("/add", async (request, response) => {
    response.json(await counter(request, response).run((state) => ++state.count, { name: "add" }))
  })
  app.post("/slow", async (request, response) => {
    response.json(await counter(request, response).run(() => pass(150), { name: "slow" }))
  })
  app.post("/fail", async (request, response) => {
    response.json(await counter(request, response).run(fails, { name: "fail" }))
  })
  app.post("/hang", async (request, response) => {
    response.json(await counter(request, response).run(() => hangs.promise, { name: "hang", timeout: 100 }))
  })
  app.get("/metrics", metrics(register))
  app.get("/openmetrics", metrics(openMetrics))
  app.use(sessionErrors())
  app.use((_error: unknown, _request: Request, response: express.Response, _next: express.NextFunction) => {
    response.sendStatus(500)
  })
  const server: Server = app.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return {
    port,
    post: async (user, path) => {
      const response = await fetch(url + path, {
        method: "POST",
        headers: { authorization: `Bearer token of ${user}` },
      })
      await response.arrayBuffer()
      return { status: response.status, traceId: response.headers.get("x-trace-id") ?? "" }
    },
    text: async (path) => (await fetch(url + path)).text(),
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      hangs.resolve()
      await sessions.drain({ finishWithin: 0 })
      for (const collection of collections) collection[Symbol.dispose]()
    },
  }
}
