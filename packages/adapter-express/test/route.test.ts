import { SessionMisuse } from "@sojourn/core"
import type { ErrorRequestHandler, RequestHandler } from "express"
import { describe, expect, test } from "vitest"
import { route } from "../src/index.ts"
import { listen } from "./support.ts"
import { versions } from "./versions.ts"

const mistake = new Error("mine")

describe.each(versions)("$name: route", ({ express }) => {
  /** Each time an error handler is reached, with what. */
  const serve = async (...handlers: ReadonlyArray<RequestHandler>) => {
    const caught: Array<unknown> = []
    const app = express()
      .get("/:id", ...handlers)
      .use(((error, _req, res, _next) => {
        caught.push(error)
        if (!res.headersSent) res.status(599).end()
      }) satisfies ErrorRequestHandler)
    const response = await fetch(`${await listen(app)}/7`)
    const text = await response.text()
    // Whatever came a second time would have come by now.
    await new Promise((resolve) => setImmediate(resolve))
    return { status: response.status, text, caught }
  }

  test.for<readonly [string, RequestHandler]>([
    ["a rejection", async () => Promise.reject(mistake)],
    [
      "a rejection later",
      async () => {
        await new Promise((resolve) => setImmediate(resolve))
        throw mistake
      },
    ],
    [
      "what is thrown at once",
      () => {
        throw mistake
      },
    ],
    ["what is handed to next", (_req, _res, next) => next(mistake)],
    [
      "a rejection of a promise of another kind",
      () => ({ then: (_: unknown, no: (e: Error) => void) => no(mistake) }),
    ],
  ])("L17: %s reaches the error handlers once", async ([, handler]) => {
    expect(await serve(route(handler))).toEqual({ status: 599, text: "", caught: [mistake] })
  })

  test.for([undefined, null] as const)("a rejection with %s is an error all the same", async (nothing) => {
    const rejected = await serve(route(() => Promise.reject(nothing)))
    expect([rejected.status, rejected.caught]).toEqual([599, [expect.any(Error)]])
    const thrown = await serve(
      route(() => {
        throw nothing as never
      }),
    )
    expect([thrown.status, thrown.caught]).toEqual([599, [expect.any(Error)]])
  })

  test("what the handler answers is the answer, and next goes on", async () => {
    const order: Array<string> = []
    const result = await serve(
      route((_req, _res, next) => {
        order.push("first")
        next()
      }),
      route(async (_req, _res, next) => {
        order.push("second")
        next()
        // Express asks nobody to have ended by then.
        await new Promise((resolve) => setImmediate(resolve))
      }),
      route((req, res) => {
        order.push("third")
        res.send(req.params["id"])
      }),
    )
    expect(result).toEqual({ status: 200, text: "7", caught: [] })
    expect(order).toEqual(["first", "second", "third"])
  })

  test("next can leave the route, as Express has it", async () => {
    const app = express()
      .get(
        "/",
        route((_req, _res, next) => next("route")),
        (_req, res) => res.send("this one"),
      )
      .get("/", (_req, res) => res.send("the other"))
    expect(await (await fetch(await listen(app))).text()).toBe("the other")
  })

  test("in a router, under a mount path and in a mounted application", async () => {
    const caught: Array<unknown> = []
    const fails = route(async () => Promise.reject(mistake))
    const app = express()
      .use("/router/:a", express.Router({ mergeParams: true }).get("/:b", fails))
      .use("/app", express().get("/", fails))
      .use(route(async (req) => (req.path === "/middleware" ? Promise.reject(mistake) : undefined)))
      .use(((error, req, res, _next) => {
        caught.push([req.originalUrl, error])
        res.status(599).end()
      }) satisfies ErrorRequestHandler)
    const url = await listen(app)
    const paths = ["/router/1/2", "/app", "/middleware"]
    for (const path of paths) expect((await fetch(url + path)).status).toBe(599)
    expect(caught).toEqual(paths.map((path) => [path, mistake]))
  })
})

test.for<readonly [string, unknown]>([
  ["nothing", undefined],
  ["a list", [() => {}]],
  ["an error handler", (_error: unknown, _req: unknown, _res: unknown, _next: unknown) => {}],
])("L17: %s is no handler to wrap", ([, handler]) => {
  expect(() => route(handler as () => void)).toThrow(SessionMisuse)
})
