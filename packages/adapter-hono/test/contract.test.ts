/** The battery that every host runs. */
import { createAdaptorServer } from "@hono/node-server"
import { describeHost, type Host, type Route } from "@sojourn/adapter-contract"
import { Hono, type Handler } from "hono"
import { once } from "node:events"
import type { Server } from "node:http"
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
  name: "Hono",
  start: async (fixture, mount) => {
    const visitor = browserOwner({
      ...fixture.visitors,
      client: fixture.trustProxy
        ? (c) => ({
            address: c.req.header("x-forwarded-for"),
            secure: c.req.header("x-forwarded-proto") === "https",
          })
        : undefined,
    })
    const ids: Record<NonNullable<Route["id"]>, KeyFrom["id"]> = {
      path: (c) => c.req.param("id"),
      rest: (c) => c.req.param("rest"),
      query: (c) => c.req.query("id"),
    }
    const app = new Hono()
    for (const route of fixture.routes) {
      const from: KeyFrom = {
        owner: route.owner === "visitor" ? visitor : (c) => fixture.login(c.req.header("authorization")),
        id: route.id === undefined ? undefined : ids[route.id],
      }
      app.on(
        route.method.toUpperCase(),
        route.path.replace("*", ":rest{.+}"),
        handler(route, from, fixture.failed),
      )
    }
    app.get("/ready", readiness(fixture.ready))
    const otherwise = (error: Error & { readonly status?: number }): Response => {
      fixture.failed(error)
      return new Response("the application's own answer", { status: error.status ?? 500 })
    }
    app.onError(sessionErrors({ ...fixture.problems, otherwise }))

    const root = mount === "" ? app : new Hono().route(mount, app)
    const server = createAdaptorServer({ fetch: root.fetch }) as Server
    await once(server.listen(0, "127.0.0.1"), "listening")
    return { server, teardown: () => server[Symbol.asyncDispose]() }
  },
}

const handler = (route: Route, from: KeyFrom, onError: (error: unknown) => void): Handler => {
  const session = fromRequest(route.sessions, from)
  const parts = requestKey(from)
  return async (c) => {
    switch (route.answer) {
      case "json":
        return c.json(await route.work(session(c, route.from)))
      case "key":
        return c.json(await route.work(parts(c)))
      case "events":
        return sendSse(c, await route.open(session(c, route.from)), { ...route.options(), onError })
      case "body":
        return sendStream(c, route.open(session(c, route.from)), { ...route.options(), onError })
    }
  }
}

describeHost(host)
