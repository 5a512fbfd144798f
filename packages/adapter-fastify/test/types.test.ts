import { createSessions, type SessionKey } from "@sojourn/core"
import fastify, { type FastifyReply, type FastifyRequest } from "fastify"
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

declare module "fastify" {
  interface FastifyRequest {
    user?: { readonly id: string }
  }
}

const sessions = createSessions({
  name: "typed",
  open: () => ({ turns: 0 }),
  handlers: { add: (counter, by: number) => (counter.turns += by) },
})
// Never run: what it says is checked by the compiler.
const unused = (request: FastifyRequest, reply: FastifyReply) => {
  const of = fromRequest(sessions, { owner: (asked) => asked.user?.id, id: (asked) => asked.params.id })
  const session = of(request, reply)
  expectTypeOf(session).toEqualTypeOf<ReturnType<typeof sessions.at>>()
  expectTypeOf(session.run((counter) => counter.turns)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(session.call.add(1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(requestKey({ owner: () => "a" })(request, reply).key).toEqualTypeOf<SessionKey>()

  const stream = session.stream(async function* () {
    yield 1
  })
  void sendSse(reply, stream, { encode: (element) => element.toFixed() })
  void sendStream(reply, stream, { encode: (element) => element.toFixed() })
  // @ts-expect-error the elements are numbers
  void sendSse(reply, stream, { encode: (element: string) => element })
  // @ts-expect-error only sendSse has an answer to nothing to resume
  void sendStream(reply, undefined)
  // @ts-expect-error a session always belongs to somebody
  fromRequest(sessions, { id: () => "1" })
  // @ts-expect-error an owner is not optional
  const from: KeyFrom = {}
  // @ts-expect-error there is no such choice
  of(request, reply, { onDisconnect: "ignore" })
  // @ts-expect-error a cookie that nobody signs
  browserOwner({})
  // @ts-expect-error Fastify's reply, not Node's response
  of(request, reply.raw)
  return from
}

// Whatever the server and the types of a route.
const routes = () => {
  const session = fromRequest(sessions, { owner: browserOwner({ secret: "a secret of the tests" }) })
  fastify().get("/ready", readiness()).setErrorHandler(sessionErrors())
  fastify({ http2: true }).get("/ready", readiness()).setErrorHandler(sessionErrors())
  fastify().get<{ Params: { id: string }; Reply: { turns: number } }>("/:id", async (request, reply) => {
    expectTypeOf(request.params.id).toEqualTypeOf<string>()
    return session(request, reply).run((counter) => ({ ...counter }))
  })
  fastify({ http2: true }).get("/", async (request, reply) =>
    sendSse(reply, await session(request, reply).resume()),
  )
}

test("the types say what belongs together", () => {
  expect(unused).toBeTypeOf("function")
  expect(routes).toBeTypeOf("function")
})
