/** The pages program as a real process with a real Chromium, over loopback WebSockets and HTTP. */
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Server as HttpServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { processes, signalOne, until } from "./processes.ts"
import { serve, type Server } from "./start.ts"

/** Pages to visit: `/<title>`, and `/slow/<title>`, which takes a second and says when it was asked for. */
let site: HttpServer
let at = ""
const asked: Array<string> = []
beforeAll(async () => {
  site = createServer((req, res) => {
    const [, ...path] = (req.url ?? "").split("/")
    const title = path.at(-1) ?? ""
    asked.push(title)
    const answer = () => res.setHeader("content-type", "text/html").end(`<title>${title}</title>`)
    if (path[0] === "slow") setTimeout(answer, 1000)
    else answer()
  }).listen(0, "127.0.0.1")
  await once(site, "listening")
  at = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
})
afterAll(() => {
  site.closeAllConnections()
  site.close()
})

interface Pages extends Server {
  /** The numbers of the browsers that were started for a user, in order. */
  readonly browsers: (user: string) => ReadonlyArray<number>
  /** What runs of these browsers, their renderers and all. */
  readonly left: () => ReadonlyArray<string>
}
const started = async (env: Readonly<Record<string, string>> = {}): Promise<Pages> => {
  // Profiles of browsers and records of processes go here: what names it belongs to this program.
  const folder = mkdtempSync(join(tmpdir(), "pages-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const server = await serve("pages/main.ts", { ...env, TMPDIR: folder, XDG_RUNTIME_DIR: folder })
  const numbers = (user: string) =>
    server.lines.flatMap((line) => (line.startsWith(`${user}~ browser `) ? [Number(line.split(" ")[2])] : []))
  const left = () => {
    const groups = new Set([...numbers("alice"), ...numbers("bob")])
    return processes().flatMap(({ group, command }) =>
      groups.has(group) || command.includes(folder) ? [command.slice(0, 80)] : [],
    )
  }
  return { ...server, browsers: numbers, left }
}

interface Answer {
  readonly title?: string
  readonly error?: string
}
const connect = async ({ url }: Server, user: string) => {
  const socket = new WebSocket(url.replace("http", "ws"), {
    headers: { authorization: `Bearer token-of-${user}` },
  })
  onTestFinished(() => socket.terminate())
  const waiting: Array<(answer: Answer) => void> = []
  socket.on("message", (text: Buffer) => waiting.shift()?.(JSON.parse(text.toString()) as Answer))
  await once(socket, "open")
  return {
    visit: (page: string) =>
      new Promise<Answer>((resolve, reject) => {
        waiting.push(resolve)
        socket.once("close", () => reject(new Error(`closed before it answered ${page}`)))
        socket.send(page.includes(":") ? page : `${at}/${page}`)
      }),
    close: async () => {
      socket.close()
      await once(socket, "close")
    },
    closed: new Promise<number>((resolve) => socket.once("close", resolve)),
  }
}
const visitOverHttp = async ({ url }: Server, user: string, page: string): Promise<unknown> => {
  const response = await fetch(`${url}/title?url=${encodeURIComponent(`${at}/${page}`)}`, {
    headers: { authorization: `Bearer token-of-${user}` },
  })
  return response.json()
}
const rendererOf = (browser: number): number | undefined =>
  processes().find(({ group, command }) => group === browser && command.includes("--type=renderer"))?.pid

describe("pages", () => {
  test("L1, L19: each user has a browser of its own, one for all sockets, and each message is answered with its title", async () => {
    const server = await started()
    const [alice, alsoAlice, bob] = await Promise.all([
      connect(server, "alice"),
      connect(server, "alice"),
      connect(server, "bob"),
    ])
    const answers = await Promise.all([
      ...["one", "two", "three"].map((page) => alice.visit(page)),
      alsoAlice.visit("four"),
      ...["five", "six"].map((page) => bob.visit(page)),
    ])
    expect(answers.map(({ title }) => title)).toEqual(["one", "two", "three", "four", "five", "six"])
    expect(await visitOverHttp(server, "bob", "seven")).toEqual({ title: "seven" })
    const browsers = [...server.browsers("alice"), ...server.browsers("bob")]
    expect(browsers).toHaveLength(2)
    expect(new Set(browsers).size).toBe(2)
  })

  test("no token, or a wrong one, opens nothing; what cannot be visited is told, and hurts nobody", async () => {
    const server = await started()
    for (const headers of [{}, { authorization: "Bearer forged" }]) {
      const socket = new WebSocket(server.url.replace("http", "ws"), { headers })
      const [error] = (await once(socket, "error")) as [Error]
      expect(error.message).toContain("401")
      expect((await fetch(`${server.url}/title?url=${at}/one`, { headers })).status).toBe(401)
    }
    expect(server.lines.filter((line) => line.includes("browser"))).toEqual([])
    const alice = await connect(server, "alice")
    expect((await alice.visit("nonsense://")).error).toContain("page.goto")
    expect(await alice.visit("one")).toEqual({ title: "one" })
    expect(server.browsers("alice")).toHaveLength(1)
  })

  test.each([
    ["its page crashes", ({ visit }: Awaited<ReturnType<typeof connect>>) => visit("chrome://crash")],
    ["its renderer is killed", (_: unknown, browser: number) => signalOne(rendererOf(browser), "SIGKILL")],
    ["its browser is killed", (_: unknown, browser: number) => signalOne(browser, "SIGKILL")],
  ])("L11: when %s the session is rebuilt, and the next message is answered", async (_, hurt) => {
    const server = await started()
    const alice = await connect(server, "alice")
    expect(await alice.visit("one")).toEqual({ title: "one" })
    const [first] = server.browsers("alice")
    if (first === undefined) throw new Error("no browser")
    await hurt(alice, first)
    await server.line("alice~ closed: Broken")
    expect(processes().filter(({ group }) => group === first)).toEqual([])
    expect(await alice.visit("two")).toEqual({ title: "two" })
    expect(server.browsers("alice")).toHaveLength(2)
  })

  test("L8: a quiet session stays while its socket is open, and is closed as idle when that has closed", async () => {
    const server = await started({ IDLE_TIMEOUT: "300" })
    const alice = await connect(server, "alice")
    await alice.visit("one")
    await sleep(1000)
    expect(server.lines).not.toContain("alice~ closed: Idle")
    await alice.close()
    await server.line("alice~ closed: Idle")
    expect(server.left()).toEqual([])
  })

  test("L8: visits replace a browser that has served often enough, between turns, and none is lost", async () => {
    const server = await started({ MAX_TURNS: "3" })
    const titles = Array.from({ length: 12 }, (_, index) => `page-${index}`)
    const answers = await Promise.all(titles.map((title) => visitOverHttp(server, "alice", title)))
    expect(answers).toEqual(titles.map((title) => ({ title })))
    await until(
      "four browsers are gone",
      () => server.lines.filter((line) => line === "alice~ closed: Recycled").length === 4,
    )
    expect(new Set(server.browsers("alice")).size).toBe(4)
    expect(server.left()).toEqual([])
  })

  test("L8: a socket holds a browser that is due to be replaced; when it has left, the next one gets another", async () => {
    const server = await started({ MAX_TURNS: "2" })
    const alice = await connect(server, "alice")
    for (const page of ["one", "two", "three"]) expect(await alice.visit(page)).toEqual({ title: page })
    expect(server.browsers("alice")).toHaveLength(1)
    await alice.close()
    await server.line("alice~ closed: Recycled")
    const again = await connect(server, "alice")
    expect(await again.visit("four")).toEqual({ title: "four" })
    expect(server.browsers("alice")).toHaveLength(2)
  })

  test("L14: SIGTERM answers what runs, closes every socket and exits 0, and no browser is left", async () => {
    const server = await started()
    const alice = await connect(server, "alice")
    const bob = await connect(server, "bob")
    await bob.visit("one")
    const last = alice.visit("slow/last")
    await until("it is being visited", () => asked.includes("last"))
    server.signal("SIGTERM")
    expect(await last).toEqual({ title: "last" })
    expect(await alice.closed).toBe(1013)
    const { code, stderr } = await server.exit
    expect(stderr).toBe("")
    expect(code).toBe(0)
    expect(server.lines).toContain("alice~ closed: Drained")
    expect(server.lines).toContain("bob~ closed: Drained")
    expect(server.left()).toEqual([])
  })

  test("L4: after SIGKILL no browser is left within seconds, also of one that hangs", async () => {
    const server = await started()
    const alice = await connect(server, "alice")
    const bob = await connect(server, "bob")
    await Promise.all([alice.visit("one"), bob.visit("two")])
    // Stopped, it does not see that its host is gone, nor any signal that can be ignored.
    for (const browser of server.browsers("bob")) signalOne(browser, "SIGSTOP")
    expect(server.left().length).toBeGreaterThan(6)
    server.signal("SIGKILL")
    await server.exit
    expect(await until("nothing is left", () => server.left().length === 0, 6000)).toBe(true)
  })
})
