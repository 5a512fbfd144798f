import { createSessions, type SessionKey } from "@sojourn/core"
import { Hono, type Context } from "hono"
import { expect, expectTypeOf, test } from "vitest"
import {
  browserOwner,
  fromRequest,
  readiness,
  requestKey,
  sendSse,
  sendStream,
  sessionErrors,
  type KeyFrom,
} from "../src/index.ts"

const sessions = createSessions({
  name: "typed",
  open: () => ({ turns: 0 }),
  handlers: { add: (counter, by: number) => (counter.turns += by) },
})
// Never run: what it says is checked by the compiler.
const unused = (c: Context) => {
  const of = fromRequest(sessions, { owner: (asked) => asked.req.header("x-verified"), id: () => "1" })
  const session = of(c)
  expectTypeOf(session).toEqualTypeOf<ReturnType<typeof sessions.at>>()
  expectTypeOf(session.run((counter) => counter.turns)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(session.call.add(1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(requestKey({ owner: () => "a" })(c).key).toEqualTypeOf<SessionKey>()

  const stream = session.stream(async function* () {
    yield 1
  })
  expectTypeOf(sendSse(c, stream, { encode: (element) => element.toFixed() })).toEqualTypeOf<
    Promise<Response>
  >()
  void sendStream(c, stream, { encode: (element) => element.toFixed(), onError: () => {} })
  // @ts-expect-error the elements are numbers
  void sendSse(c, stream, { encode: (element: string) => element })
  // @ts-expect-error only sendSse has an answer to nothing to resume
  void sendStream(c, undefined)
  // @ts-expect-error a session always belongs to somebody
  fromRequest(sessions, { id: () => "1" })
  // @ts-expect-error an owner is not optional
  const from: KeyFrom = {}
  // @ts-expect-error there is no such choice
  of(c, { onDisconnect: "ignore" })
  // @ts-expect-error a cookie that nobody signs
  browserOwner({})
  // @ts-expect-error the context, not its request
  of(c.req)
  return from
}

// Whatever the types of an application and a route.
const routes = () => {
  const session = fromRequest(sessions, {
    owner: browserOwner({
      secret: "a secret of the tests",
      client: () => ({ address: "::1", secure: true }),
    }),
    id: (c) => c.req.param("id"),
  })
  const app = new Hono<{ Variables: { user: string }; Bindings: { key: string } }>()
  app.onError(sessionErrors({ otherwise: (error, c) => c.text(error.name, 500) }))
  app.get("/ready", readiness())
  app.get("/:id", async (c) => {
    expectTypeOf(c.var.user).toEqualTypeOf<string>()
    return c.json(await session(c).run((counter) => counter.turns))
  })
  app.post("/:id", async (c) => sendSse(c, await session(c).resume()))
}

test("the types say what belongs together", () => {
  expect(unused).toBeTypeOf("function")
  expect(routes).toBeTypeOf("function")
})
