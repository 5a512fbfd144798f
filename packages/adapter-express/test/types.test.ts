import { createSessions, type SessionKey } from "@sojourn/core"
import { expect, expectTypeOf, test } from "vitest"
import { browserOwner, fromRequest, requestKey, sendSse, type KeyFrom } from "../src/index.ts"

const sessions = createSessions({
  name: "typed",
  open: () => ({ turns: 0 }),
  handlers: { add: (counter, by: number) => (counter.turns += by) },
})
// Never run: what it says is checked by the compiler.
const unused = (req: never, res: never) => {
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
  // @ts-expect-error the elements are numbers
  void sendSse(res, stream, { encode: (element: string) => element })
  // @ts-expect-error a session always belongs to somebody
  fromRequest(sessions, { id: () => "1" })
  // @ts-expect-error an owner is not optional
  const from: KeyFrom = {}
  // @ts-expect-error there is no such choice
  fromRequest(sessions, { owner: () => "a" })(req, res, { onDisconnect: "ignore" })
  // @ts-expect-error a cookie that nobody signs
  browserOwner({})
  return from
}

test("the types say what belongs together", () => {
  expect(unused).toBeTypeOf("function")
})
