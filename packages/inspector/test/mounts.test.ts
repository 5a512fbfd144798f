/** Under Express 4 and 5, with and without what is usually before it, and as a plain function of a Request. */
import compression from "compression"
import express from "express"
import express4 from "express4"
import { describe, expect, it, onTestFinished } from "vitest"
import { connectInspector } from "../src/client.ts"
import { dashboard, dashboardFetch, type FetchInspectorOptions } from "../src/index.ts"
import { first, frames, listen, post, raw, rooms, stream } from "./support.ts"

const versions = [
  { name: "Express 5", express },
  { name: "Express 4", express: express4 as unknown as typeof express },
]
const mounted = async (
  make: typeof express,
  before: (app: ReturnType<typeof express>) => unknown = () => {},
) => {
  const a = rooms()
  await a.run("x", () => 1)
  const app = make()
  before(app)
  const handler = dashboard({ sessions: [a] })
  onTestFinished(() => handler[Symbol.dispose]())
  app.use("/admin/_sessions", handler)
  app.get("/", (_req, res) => void res.send("home"))
  const url = await listen(app)
  return { a, url, base: `${url}/admin/_sessions` }
}

describe.each(versions)("$name", ({ express: make }) => {
  it.each<[string, (app: ReturnType<typeof express>) => unknown]>([
    ["nothing before it", () => {}],
    ["express.json()", (app) => app.use(make.json())],
    ["express.text() and raw()", (app) => app.use(make.text({ type: "*/*" }))],
    ["express.raw()", (app) => app.use(make.raw({ type: "*/*" }))],
    ["express.urlencoded()", (app) => app.use(make.urlencoded({ extended: true }))],
    ["compression", (app) => app.use(compression({ threshold: 0 }))],
  ])("with %s", async (_, before) => {
    const { a, base } = await mounted(make, before)
    const client = connectInspector(base)
    const [row] = (await client.sessions()).sessions.rows
    expect(row?.kind).toBe(a.name)
    expect(await client.of(a.name).close(row?.hash ?? "")).toMatchObject({ state: "ended" })
    expect((await client.overview()).kinds[0]?.gauges.live).toBe(0)
    const live = await stream(base, "view=overview&everyMs=250")
    expect(live.response.headers.get("content-encoding")).toBeNull()
    const one = (await first(live.frames)).frame.seq
    expect((await first(live.frames)).frame.seq).toBeGreaterThan(one)
  })

  it("what it does not know below its path is its own 404, and beside it is the app's", async () => {
    const { base, url } = await mounted(make)
    const missing = await fetch(`${base}/nothing`)
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "application/problem+json"])
    expect(await (await fetch(url)).text()).toBe("home")
    expect((await raw(url, { path: "/admin/_sessions/%2e%2e/overview" })).status).toBe(404)
  })

  it("a body that express.json() let through is bounded all the same", async () => {
    const { base } = await mounted(make, (app) => app.use(make.json({ limit: "5mb" })))
    const answer = await post(base, { action: "unmute", warning: "L01", padding: "x".repeat(100_000) })
    expect(answer.status).toBe(413)
  })

  it("compressed answers have a tag that is good for them", async () => {
    const { base } = await mounted(make, (app) => app.use(compression({ threshold: 0 })))
    const one = await fetch(`${base}/sessions`)
    expect(one.headers.get("content-encoding")).toMatch(/gzip|br/)
    const etag = one.headers.get("etag") ?? ""
    await one.text()
    expect((await fetch(`${base}/sessions`, { headers: { "if-none-match": etag } })).status).toBe(304)
  })
})

describe("a function of a Request", () => {
  const made = async (options: Partial<FetchInspectorOptions> = {}) => {
    const a = rooms()
    await a.run("x", () => 1)
    const respond = dashboardFetch({ sessions: [a], authorize: () => "operate", ...options })
    onTestFinished(() => respond[Symbol.dispose]())
    return { a, respond }
  }

  it("answers, acts and streams", async () => {
    const { a, respond } = await made()
    const client = connectInspector("http://app.example", {
      fetch: (input, init) => respond(new Request(input, init)),
    })
    const [row] = (await client.sessions()).sessions.rows
    // A Request made here lets nobody say an origin; a host's own has it.
    const acted = await respond(
      new Request("http://app.example/actions", {
        method: "POST",
        headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
        body: JSON.stringify({ action: "close", kind: a.name, hash: row?.hash }),
      }),
    )
    expect(acted.status).toBe(200)
    const live = await respond(new Request("http://app.example/stream?view=overview&everyMs=250"))
    const iterator = frames(live)
    expect((await first(iterator)).frame.full).toBe(true)
    expect((await first(iterator)).frame.full).toBe(false)
    await iterator.return(undefined)
    const about = (await (await respond(new Request("http://app.example/about"))).json()) as {
      viewers: number
    }
    expect(about.viewers).toBe(0)
  })

  it("below a path, and nowhere else", async () => {
    const { respond } = await made({ base: "/_sessions" })
    const status = async (path: string) => (await respond(new Request(`http://app.example${path}`))).status
    expect(await status("/_sessions/overview")).toBe(200)
    expect(await status("/overview")).toBe(404)
    expect(await status("/_sessionsoverview")).toBe(404)
  })

  it("bodies are bounded and have to be JSON", async () => {
    const { respond } = await made()
    const send = async (body: string, type = "application/json") =>
      (
        await respond(
          new Request("http://app.example/actions", {
            method: "POST",
            headers: { "content-type": type, "sec-fetch-site": "same-origin" },
            body,
          }),
        )
      ).status
    expect(await send("x".repeat(70_000))).toBe(413)
    expect(await send("{")).toBe(400)
    expect(await send("{}", "text/plain")).toBe(415)
  })

  it("a reader that takes nothing is given nothing more than one frame", async () => {
    const { respond } = await made()
    const live = await respond(new Request("http://app.example/stream?view=overview&everyMs=250"))
    const reader = live.body?.getReader()
    await reader?.read()
    await new Promise((resolve) => setTimeout(resolve, 1200))
    // Four looks later the next read has the last of them.
    const { value } = (await reader?.read()) ?? {}
    const seq = Number(/"seq":(\d+)/.exec(new TextDecoder().decode(value))?.[1])
    expect(seq).toBeGreaterThanOrEqual(4)
    await reader?.cancel()
  })
})
