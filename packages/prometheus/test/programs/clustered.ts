/**
 * One program of a cluster: the primary has two workers and answers GET /metrics for both; each worker has sessions of its
 * own behind a shared port, and stops when the primary does.
 */
import cluster from "node:cluster"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { createSessions } from "@sojourn/core"
import { AggregatorRegistry, Registry } from "prom-client"
import { collectSessionMetrics } from "../../src/index.ts"

const listen = (port: number, handler: RequestListener): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer(handler).listen(port, "127.0.0.1", () =>
      resolve((server.address() as AddressInfo).port),
    )
  })

if (cluster.isPrimary) {
  const aggregator = new AggregatorRegistry()
  const metrics = await listen(0, (_, response) => {
    const answer = async (): Promise<void> => {
      response.setHeader("content-type", aggregator.contentType)
      response.end(await aggregator.clusterMetrics())
    }
    void answer()
  })
  const ports = new Map<number, number>()
  for (const number of [1, 2]) {
    const worker = cluster.fork({ WORKER: String(number) })
    worker.on("message", (message: { readonly port?: number }) => {
      if (message.port === undefined) return
      ports.set(number, message.port)
      if (ports.size === 2) process.send?.({ metrics, ports: [ports.get(1), ports.get(2)] })
    })
  }
} else {
  const number = Number(process.env["WORKER"])
  const register = new Registry()
  // A worker that prints OpenMetrics for itself is added up all the same.
  if (number === 2) register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  const sessions = createSessions({ name: "counter", open: () => ({ count: 0 }), maxSessions: 10 })
  collectSessionMetrics(register)
  // Only once one is made does a worker listen to the primary.
  void new AggregatorRegistry()
  AggregatorRegistry.setRegistries(register)
  // Each worker has a port of its own, so that the test decides who gets which request.
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.url === "/own") return void response.end(await register.metrics())
      response.end(String(await sessions.run(request.url ?? "", (state) => ++state.count, { name: "add" })))
    }
    void answer()
  })
  server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, () =>
    process.send?.({ port: (server.address() as AddressInfo).port }),
  )
}
