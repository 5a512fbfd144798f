/**
 * A small real program for the tests beside it: `node program.ts <scenario>`. What a process is told once, and a process on
 * its way out, can only be seen in one of its own. It says what happens, a JSON value a line.
 */
import { createSessions, type AnySessions, type Sessions } from "@sojourn/core"
import { setupFindings } from "@sojourn/core/host"
import { drainOnSignals } from "@sojourn/core/node"
import express from "express"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { checkMadeInHandler, checkProxy, OwnerAsSent, readiness } from "../src/index.ts"

const say = (line: unknown): void => console.log(JSON.stringify(line))
process.on("warning", (warning) => say({ warning: "code" in warning ? warning.code : warning.message }))

const make = (name: string): Sessions<number> => createSessions({ name, open: () => 1 })

/** Asks so many times, one after the other, and ends. */
const ask = async (
  app: RequestListener,
  times: number,
  headers: (time: number) => Record<string, string> = () => ({}),
): Promise<void> => {
  const server = createServer(app)
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  for (let time = 0; time < times; time++) {
    const response = await fetch(`http://127.0.0.1:${port}/?time=${time}&page=1`, { headers: headers(time) })
    if (response.status !== 200) say({ failed: await response.text() })
  }
  server.closeAllConnections()
  server.close()
}
/** An application whose handler does this, behind a middleware and in a router of its own. */
const handling = (handle: (req: express.Request) => unknown): RequestListener => {
  const router = express.Router().get("/", async (req, res) => {
    await handle(req)
    res.end("done")
  })
  return express()
    .use((_req, _res, next) => next())
    .use(router) as RequestListener
}
const finish = async (): Promise<void> => {
  // Warnings are told in the next turn of the loop.
  await new Promise((resolve) => setImmediate(resolve))
  say({ findings: setupFindings() })
}

const madeInHandler: Record<string, () => Promise<void>> = {
  "a registry a request": () =>
    ask(
      handling(() => checkMadeInHandler(make("carts"))),
      4,
    ),
  "one that is drained again": () =>
    ask(
      handling(async () => {
        await using sessions = make("carts")
        checkMadeInHandler(sessions)
      }),
      3,
    ),
  "behind an await": () =>
    ask(
      handling(async () => {
        await new Promise((resolve) => setImmediate(resolve))
        checkMadeInHandler(make("carts"))
      }),
      4,
    ),
  "one bound in each request": () => {
    const carts = make("carts")
    return ask(
      handling(() => checkMadeInHandler(carts)),
      5,
    )
  },
  "a module that a handler loads": () => {
    let loaded: ReadonlyArray<AnySessions> | undefined
    return ask(
      handling(() => {
        loaded ??= [make("carts"), make("orders")]
        for (const one of loaded) checkMadeInHandler(one)
      }),
      3,
    )
  },
  "several of several names, at module level": async () => {
    for (const name of ["carts", "orders", "carts", "chats"]) checkMadeInHandler(make(name))
  },
  "names with numbers of their own": async () => {
    for (let shard = 1; shard <= 7; shard++) checkMadeInHandler(make(`carts#${shard}`))
  },
  "names without end": () =>
    ask(
      handling((req) => checkMadeInHandler(make(`cart ${timeOf(req)}`))),
      150,
    ),
}

const asked = (
  owner: (req: express.Request) => string,
  times: number,
  headers: (time: number) => Record<string, string>,
) => {
  const asSent = new OwnerAsSent()
  return ask(
    handling((req) => asSent.look(owner(req), () => req)),
    times,
    headers,
  )
}
const timeOf = ({ query }: express.Request): string =>
  typeof query["time"] === "string" ? query["time"] : ""
const user = (time: number): string => `secret-user-${time}`
const ownerAsSent: Record<string, () => Promise<void>> = {
  "a header": () =>
    asked(
      (req) => req.get("x-user") ?? "",
      5,
      (time) => ({ "x-user": user(time) }),
    ),
  "a parameter": () => asked(timeOf, 5, () => ({})),
  "a header that a client named after its owner": () =>
    asked(
      (req) => req.get("secret-user-0") ?? "",
      5,
      (time) => ({ "secret-user-0": user(time) }),
    ),
  "one owner, however often": () =>
    asked(
      (req) => req.get("x-user") ?? "",
      40,
      () => ({ "x-user": user(0) }),
    ),
  "one owner often, then another": () =>
    asked(
      (req) => req.get("x-user") ?? "",
      42,
      (time) => ({ "x-user": user(time < 40 ? 0 : 1) }),
    ),
  "by chance": () =>
    asked(
      (req) => (timeOf(req) === "0" ? "1" : "alice"),
      5,
      () => ({ dnt: "1" }),
    ),
  "the login's word": () =>
    asked(
      (req) => `of ${req.get("authorization")}`,
      30,
      (time) => ({ authorization: `Bearer ${time}` }),
    ),
  "by chance, once each": () =>
    asked(
      (req) => String(Number(timeOf(req)) + 1),
      5,
      (time) => ({ [`x-${time}`]: String(time + 1) }),
    ),
}

const proxied = (headers: Record<string, string>, trusted: boolean): Promise<void> =>
  ask(
    handling((req) => checkProxy(req.headers, () => trusted, "Say so in a test.")),
    3,
    () => headers,
  )
const proxy: Record<string, () => Promise<void>> = {
  "x-forwarded-for": () => proxied({ "x-forwarded-for": "203.0.113.7" }, false),
  "x-forwarded-proto": () => proxied({ "x-forwarded-proto": "https" }, false),
  trusted: () => proxied({ "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https" }, true),
  direct: () => proxied({}, false),
  all: async () => {
    await madeInHandler["a registry a request"]?.()
    await ownerAsSent["a header"]?.()
    await proxied({ "x-forwarded-for": "203.0.113.7" }, false)
  },
}

const setup: Record<string, () => Promise<void>> = { ...madeInHandler, ...ownerAsSent, ...proxy }

const [scenario = ""] = process.argv.slice(2)
if (scenario === "drainOnSignals") {
  const sessions = make("warm")
  const [all, listed] = [readiness(), readiness({ sessions: [make("other")] })]
  const state = (at: string): void => say({ at, all: all(), listed: listed().status })
  drainOnSignals({
    onDrained: () => {
      state("drained")
      make("late")
      state("another registry")
    },
  })
  state("before")
  // Asked by a probe while a turn still runs.
  sessions.subscribe(({ _tag }) => {
    if (_tag === "DrainStarted") state("draining")
  })
  await sessions.run("a", () => {})
  setInterval(() => {}, 60_000)
  say("ready")
} else {
  await setup[scenario]?.()
  await finish()
  process.exit(0)
}
