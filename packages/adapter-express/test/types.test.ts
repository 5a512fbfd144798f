import { createSessions, type SessionKey } from "@sojourn/core"
import express, { Router, type NextFunction, type Request, type Response } from "express"
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

// What express-session gives a request is there.
declare module "express-session" {
  interface SessionData {
    user: string
  }
}

const sessions = createSessions({
  name: "typed",
  open: () => ({ turns: 0 }),
  handlers: { add: (counter, by: number) => (counter.turns += by) },
})
// Never run: what it says is checked by the compiler.
const unused = (req: Request, res: Response) => {
  const session = fromRequest(sessions, { owner: browserOwner({ secret: "a secret of the tests" }) })(
    req,
    res,
  )
  expectTypeOf(session).toEqualTypeOf<ReturnType<typeof sessions.at>>()
  expectTypeOf(session.run((counter) => counter.turns)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(session.call.add(1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(requestKey({ owner: () => "a" })(req, res).key).toEqualTypeOf<SessionKey>()

  const stream = session.stream(async function* () {
    yield 1
  })
  void sendSse(res, stream, { encode: (element) => element.toFixed() })
  void sendStream(res, stream, { encode: (element) => element.toFixed() })
  // @ts-expect-error the elements are numbers
  void sendSse(res, stream, { encode: (element: string) => element })
  // @ts-expect-error only sendSse has an answer to nothing to resume
  void sendStream(res, undefined)
  // @ts-expect-error a session always belongs to somebody
  fromRequest(sessions, { id: () => "1" })
  // @ts-expect-error an owner is not optional
  const from: KeyFrom = {}
  // @ts-expect-error there is no such choice
  fromRequest(sessions, { owner: () => "a" })(req, res, { onDisconnect: "ignore" })
  // @ts-expect-error a cookie that nobody signs
  browserOwner({})
  // @ts-expect-error one with the headers of HTTP alone
  browserOwner({ secret: "a secret of the tests" })({ headers: {} }, res)
  return from
}

const handlers = () => {
  const visitor = browserOwner({ secret: "a secret of the tests" })
  // What a request has been given by others is there.
  const session = fromRequest(sessions, {
    owner: (req) => req.session.user,
    id: (req) => req.params["id"],
  })
  const beside = fromRequest(sessions, { owner: visitor, id: (req, res) => (res.locals, req.session.user) })
  interface LoggedIn extends Request {
    readonly login: { readonly subject: string }
  }
  const loggedIn = fromRequest(sessions, { owner: (req: LoggedIn) => req.login.subject })

  const app = express()
  app.get("/ready", readiness())
  app.get(
    "/:id",
    route(async (req, res, next) => {
      expectTypeOf(req.params.id).toEqualTypeOf<string>()
      expectTypeOf(next).toEqualTypeOf<NextFunction>()
      res.json(await session(req, res).run((counter) => counter.turns))
      expectTypeOf(beside(req, res)).toEqualTypeOf<ReturnType<typeof sessions.at>>()
      // @ts-expect-error this one has not logged in
      loggedIn(req, res)
      loggedIn(Object.assign(req, { login: { subject: "a" } }), res)
    }),
  )
  app.get<{ id: "7" }>(
    "/:id",
    route((req, _res, next) => {
      expectTypeOf(req.params.id).toEqualTypeOf<"7">()
      next("route")
    }),
    route((req, res) => res.json(req.params.id)),
  )
  const apart = route(async (req: Request<{ id: string }>, res: Response) => void res.json(req.params.id))
  Router().route("/:id").get(apart)
  app.use(sessionErrors())
  app.get(
    "/:id",
    // @ts-expect-error there is no such parameter
    route((req) => void req.params.other),
  )
  // @ts-expect-error an error handler is another matter
  app.use(route((_error: unknown, _req: Request, _res: Response, _next: NextFunction) => {}))
}

test("the types say what belongs together", () => {
  expect(unused).toBeTypeOf("function")
  expect(handlers).toBeTypeOf("function")
})
