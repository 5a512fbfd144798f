/** An Express application whose requests have spans: what an instrumentation of HTTP does, by hand. */
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { context, propagation, ROOT_CONTEXT, SpanKind, trace, type Tracer } from "@opentelemetry/api"
import express, { type Express, type RequestHandler } from "express"

/** A server span for each request, a child of the span in its `traceparent` header, current for all that handles it. */
const serverSpans =
  (tracer: Tracer): RequestHandler =>
  (req, res, next) => {
    const caller = propagation.extract(ROOT_CONTEXT, req.headers)
    const span = tracer.startSpan(`${req.method} ${req.path}`, { kind: SpanKind.SERVER }, caller)
    res.once("close", () => span.end())
    context.with(trace.setSpan(caller, span), next)
  }

/** What an instrumented client sends along. */
export const traceparent = (): Record<string, string> => {
  const headers: Record<string, string> = {}
  propagation.inject(context.active(), headers)
  return headers
}

export const serve = async (
  tracer: Tracer,
  routes: (app: Express) => void,
): Promise<AsyncDisposable & { readonly url: string }> => {
  const app = express()
  app.use(serverSpans(tracer))
  routes(app)
  const server = app.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  }
}
