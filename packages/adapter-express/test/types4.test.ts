/** The types of Express 4 fit as well, although they fit those of Express 5 nowhere. */
import { createSessions } from "@sojourn/core"
import express, { Router, type NextFunction, type Request, type Response } from "express4"
import { expect, expectTypeOf, test } from "vitest"
import {
  browserOwner,
  fromRequest,
  readiness,
  requestKey,
  route,
  sendSse,
  sendStream,
  sessionErrors,
  type KeyFrom,
} from "../src/index.ts"

const sessions = createSessions({ name: "typed-4", open: () => ({ turns: 0 }) })
// Never run: what it says is checked by the compiler.
const unused = () => {
  const visitor = browserOwner({ secret: "a secret of the tests" })
  const session = fromRequest(sessions, { owner: visitor, id: (req) => req.params["id"] })
  const own = fromRequest(sessions, {
    owner: (req: Request) => req.param("user"),
    id: (req: Request, res: Response) => (res.sendFile("x"), req.query["id"] as string | undefined),
  })
  const key = requestKey({ owner: (req) => req.get("x-user") })
  const from: KeyFrom<Request, Response> = { owner: (req) => req.ip }
  const shared = fromRequest(sessions, from)

  const app = express()
  app.get("/ready", readiness())
  app.get(
    "/:id",
    route(async (req, res, next) => {
      expectTypeOf(req.params.id).toEqualTypeOf<string>()
      expectTypeOf(req).toExtend<Request>()
      expectTypeOf(res).toExtend<Response>()
      expectTypeOf(next).toEqualTypeOf<NextFunction>()
      expectTypeOf(visitor(req, res)).toEqualTypeOf<string>()
      expectTypeOf(key(req, res).signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(session(req, res)).toEqualTypeOf<ReturnType<typeof sessions.at>>()
      res.json(await own(req, res, { onDisconnect: "continue" }).run((counter) => counter.turns))
      await sendSse(res, await shared(req, res).resume())
    }),
  )
  app.post(
    "/:id",
    route((req, res) =>
      sendStream(
        res,
        session(req, res).stream(async function* () {
          yield 1
        }),
        { encode: (element) => element.toFixed() },
      ),
    ),
  )
  app.use(
    "/x",
    Router().use(
      route((req, res, next) => {
        void session(req, res)
        next("router")
      }),
    ),
  )
  app.use(sessionErrors())
  app.get(
    "/:id",
    // @ts-expect-error there is no such parameter
    route((req) => void req.params.other),
  )
  // @ts-expect-error an error handler is another matter
  app.use(route((_error: unknown, _req: Request, _res: Response, _next: NextFunction) => {}))
}

test("the types of Express 4 fit", () => {
  expect(unused).toBeTypeOf("function")
})
