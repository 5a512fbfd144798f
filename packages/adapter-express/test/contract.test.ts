/** The battery that every host runs, under both versions of Express. */
import { describeHost, type Fixture, type Host, type Route } from "@sojourn/adapter-contract"
import express5, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from "express"
import express4 from "express4"
import { once } from "node:events"
import { createServer } from "node:http"
import {
  browserOwner,
  fromRequest,
  type KeyFrom,
  readiness,
  requestKey,
  route as caught,
  sendSse,
  sendStream,
  sessionErrors,
} from "../src/index.ts"

const host = (
  name: string,
  express: typeof express5,
  rest: string,
  wrap: (handler: RequestHandler) => RequestHandler,
): Host => ({
  name,
  start: async (fixture, mount) => {
    const visitor = browserOwner(fixture.visitors)
    const ids: Record<NonNullable<Route["id"]>, KeyFrom["id"]> = {
      path: (req) => req.params["id"],
      rest: (req) => req.params["rest"] ?? req.params[0],
      query: (req) => req.query["id"] as string | undefined,
    }
    const router = express.Router()
    for (const route of fixture.routes) {
      const from: KeyFrom = {
        owner: route.owner === "visitor" ? visitor : (req) => fixture.login(req.get("authorization")),
        id: route.id === undefined ? undefined : ids[route.id],
      }
      router[route.method](route.path.replace("*", rest), wrap(handler(route, from)))
    }
    router.get("/ready", readiness(fixture.ready))
    router.use(sessionErrors(fixture.problems))

    const app = express().set("trust proxy", fixture.trustProxy ? 1 : false)
    app.use(mount === "" ? "/" : mount, router)
    app.use(own(fixture))
    const server = createServer(app).listen(0, "127.0.0.1")
    await once(server, "listening")
    return { server, teardown: () => server[Symbol.asyncDispose]() }
  },
})

const handler = (route: Route, from: KeyFrom): RequestHandler => {
  const session = fromRequest(route.sessions, from)
  const parts = requestKey(from)
  return async (req: Request, res: Response): Promise<void> => {
    switch (route.answer) {
      case "json":
        return void res.json(await route.work(session(req, res, route.from)))
      case "key":
        return void res.json(await route.work(parts(req, res)))
      case "events":
        return sendSse(res, await route.open(session(req, res, route.from)), route.options())
      case "body":
        return sendStream(res, route.open(session(req, res, route.from)), route.options())
    }
  }
}

const own =
  ({ failed }: Fixture): ErrorRequestHandler =>
  (error: Error & { readonly status?: number }, _req, res, next) => {
    failed(error)
    if (res.headersSent) return next(error)
    res.status(error.status ?? 500).send("the application's own answer")
  }

describeHost(host("Express 5", express5, "*rest", (handle) => handle))
describeHost(host("Express 4", express4 as unknown as typeof express5, "*", caught))
