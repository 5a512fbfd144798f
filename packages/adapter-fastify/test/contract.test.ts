/** The battery that every host runs. */
import { describeHost, type Fixture, type Host, type Route } from "@sojourn/adapter-contract"
import fastify, { type FastifyBaseLogger, type FastifyPluginCallback, type RouteHandlerMethod } from "fastify"
import {
  browserOwner,
  fromRequest,
  type KeyFrom,
  readiness,
  requestKey,
  sendSse,
  sendStream,
  sessionErrors,
} from "../src/index.ts"

const host: Host = {
  name: "Fastify",
  start: async (fixture, mount) => {
    const app = fastify({ trustProxy: fixture.trustProxy ? "loopback" : false, loggerInstance: log(fixture) })
    app.setErrorHandler(
      (error: Error & { readonly statusCode?: number; status?: number }, _request, reply) => {
        fixture.failed(error)
        reply.code(error.statusCode ?? error.status ?? 500).send("the application's own answer")
      },
    )
    app.register(plugin(fixture), { prefix: mount })
    await app.listen({ host: "127.0.0.1", port: 0 })
    return { server: app.server, teardown: () => app.close() }
  },
}

const plugin =
  (fixture: Fixture): FastifyPluginCallback =>
  (app, _options, done) => {
    const visitor = browserOwner(fixture.visitors)
    const ids: Record<NonNullable<Route["id"]>, KeyFrom["id"]> = {
      path: (request) => request.params.id,
      rest: (request) => request.params["*"],
      query: (request) => request.query.id,
    }
    app.setErrorHandler(sessionErrors(fixture.problems))
    for (const route of fixture.routes) {
      const from: KeyFrom = {
        owner:
          route.owner === "visitor" ? visitor : (request) => fixture.login(request.headers.authorization),
        id: route.id === undefined ? undefined : ids[route.id],
      }
      app[route.method](route.path, handler(route, from))
    }
    app.get("/ready", readiness(fixture.ready))
    done()
  }

const handler = (route: Route, from: KeyFrom): RouteHandlerMethod => {
  const session = fromRequest(route.sessions, from)
  const parts = requestKey(from)
  return async (request, reply) => {
    switch (route.answer) {
      case "json":
        return route.work(session(request, reply, route.from))
      case "key":
        return route.work(parts(request, reply))
      case "events":
        return sendSse(reply, await route.open(session(request, reply, route.from)), route.options())
      case "body":
        return sendStream(reply, route.open(session(request, reply, route.from)), route.options())
    }
  }
}

/** Everything that is logged as a warning or worse is an error of the application's. */
const log = ({ failed }: Fixture): FastifyBaseLogger => {
  const quiet = (): void => {}
  const tell = ({ err }: { readonly err?: unknown }): void => failed(err)
  const logger: FastifyBaseLogger = {
    level: "warn",
    fatal: tell,
    error: tell,
    warn: tell,
    info: quiet,
    debug: quiet,
    trace: quiet,
    silent: quiet,
    child: () => logger,
  }
  return logger
}

describeHost(host)
