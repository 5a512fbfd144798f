/**
 * `node setup.ts <Express 4 or 5> <scenario> …`: applications with a mistake in how they are put together, or without one,
 * one after the other. Each asks itself a few times, and says each warning's code, and then its own name.
 */
import { createSessions } from "@sojourn/core"
import type { RequestHandler } from "express"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { browserOwner, fromRequest, requestKey, route, sessionErrors, type KeyFrom } from "../../src/index.ts"
import { versions, type Express } from "../versions.ts"

const say = (line: unknown): void => console.log(JSON.stringify(line))
const [, , version, ...wanted] = process.argv
const express = versions.find(({ name }) => name === version)?.express
const otherExpress = versions.find(({ name }) => name !== version)?.express
if (express === undefined || otherExpress === undefined) throw new Error("no such version")

process.on("warning", (warning) => {
  const { code } = warning as { readonly code?: string }
  say({
    warning: code ?? warning.name,
    told: `${warning.message} ${(warning as { detail?: string }).detail}`,
  })
})

let current = ""
const make = () => createSessions({ name: current, open: ({ key }) => key })
const secret = "a secret of the tests"
const from = { owner: () => "alice" }

const bind = (sessions = make(), by: KeyFrom = from) => fromRequest(sessions, by)
/** Its rejections are the application's to pass on. */
const plain =
  (session: ReturnType<typeof bind>): RequestHandler =>
  (req, res, next) =>
    void session(req, res)
      .run((key) => key)
      .then((key) => res.json(key), next)
const wrapped = (session: ReturnType<typeof bind>): RequestHandler =>
  route(async (req, res) => void res.json(await session(req, res).run((key) => key)))

type App = ReturnType<Express>
const scenarios: Record<string, (app: App) => App> = {
  /** A registry a request. */
  inHandler: (app) =>
    app.use(route(async (req, res) => void res.json(await bind()(req, res).run((key) => key)))),
  /** The same, where the stack says nothing any more. */
  inHandlerLater: (app) =>
    app.use(
      route(async (req, res) => {
        await new Promise((resolve) => setImmediate(resolve))
        res.json(await bind()(req, res).run((key) => key))
      }),
    ),
  /** One registry, bound anew each time: slow, but no mistake. */
  boundInHandler: (app) => {
    const sessions = make()
    return app.use(route(async (req, res) => void res.json(await bind(sessions)(req, res).run((key) => key))))
  },
  /** Two registries, at module level. */
  twice: (app) => app.use("/other", wrapped(bind())).use(wrapped(bind())),

  ownerFromHeader: (app) => app.use(wrapped(bind(make(), { owner: (req) => req.get("x-user") }))),
  ownerFromQuery: (app) =>
    app.use(wrapped(bind(make(), { owner: (req) => req.query["user"] as string | undefined }))),
  ownerOfKeyFromHeader: (app) => {
    const key = requestKey({ owner: (req) => req.get("x-user") })
    return app.use(route((req, res) => void res.json(key(req, res).key)))
  },
  /** What a login has verified, and a header that says the same by chance. */
  ownerVerified: (app) =>
    app.use(wrapped(bind(make(), { owner: (req) => (req.get("dnt") === "1" ? "1" : undefined) }))),

  proxyUnknown: (app) => app.use(wrapped(bind(make(), { owner: browserOwner({ secret }) }))),
  proxyTrusted: (app) => {
    const handler = wrapped(bind(make(), { owner: browserOwner({ secret }) }))
    return app
      .set("trust proxy", 1)
      .use("/mounted", express().use(handler))
      .use(express.Router().use(handler))
  },
  proxyUnknownMounted: (app) =>
    app.use("/", express().use(wrapped(bind(make(), { owner: browserOwner({ secret }) })))),

  rejections: (app) => app.use(plain(bind())),
  rejectionsOfKey: (app) => {
    const key = requestKey(from)
    return app.use((req, res) => void res.json(key(req, res).key))
  },
  rejectionsInRouter: (app) => app.use("/:any", express.Router().use(plain(bind()))).use(plain(bind())),
  rejectionsInMounted: (app) => app.use("/", express().use("/", express().use(plain(bind())))),
  /** What a mounted application is counts, not what it is mounted in. */
  rejectionsInOther: (app) => app.use("/", otherExpress().use(plain(bind()))),
  /** A wrapped handler says nothing of the next one. */
  rejectionsAfterWrapped: (app) => app.use(route((_req, _res, next) => next())).use(plain(bind())),
  wrapped: (app) =>
    app
      .use(route((_req, _res, next) => next()))
      .use("/:any", express.Router().use(wrapped(bind())))
      .use("/", express().use(wrapped(bind()))),

  /** No check, but what one of them is about: a handler that nobody wraps rejects. */
  refused: (app) => {
    const session = bind()
    return app.use((async (req, res) => {
      res.json(await session(req, res).run((key) => key, { mustExist: true }))
    }) satisfies RequestHandler)
  },
  refusedWrapped: (app) => {
    const session = bind()
    return app.use(
      route(async (req, res) => {
        res.json(await session(req, res).run((key) => key, { mustExist: true }))
      }),
    )
  },
}

const paths = ["/", "/1", "/", "/mounted", "/other"]
for (const scenario of wanted) {
  current = scenario
  const put = scenarios[scenario]
  if (put === undefined) throw new Error(`no such scenario: ${scenario}`)
  const server = createServer(put(express()).use(sessionErrors()))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const statuses: Array<number> = []
  for (const [index, path] of paths.entries()) {
    const user = `secret-user-${index}`
    const headers: Record<string, string> = { "x-user": user, dnt: "1" }
    if (scenario.startsWith("proxy")) headers["x-forwarded-for"] = "203.0.113.1"
    statuses.push((await fetch(`http://127.0.0.1:${port}${path}?user=${user}`, { headers })).status)
  }
  // Warnings are told after the step in which they came up.
  await new Promise((resolve) => setImmediate(resolve))
  say({ scenario, statuses })
  server.close()
}
process.exit(0)
