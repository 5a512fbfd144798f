/** The MCP server as a real process, driven by the SDK's own client over loopback HTTP. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, test, vi, type TestContext } from "vitest"
import { serve, type Server } from "./start.ts"

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

const connect = async (
  { onTestFinished }: TestContext,
  { url }: Server,
  owner: string,
  fetchWith: Fetch = fetch,
) => {
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer token-of-${owner}` } },
    fetch: fetchWith,
  })
  const client = new Client({ name: "test", version: "1.0.0" })
  await client.connect(transport)
  onTestFinished(() => client.close())
  const id = transport.sessionId ?? ""
  const note = async (text: string, afterMs = 0): Promise<ReadonlyArray<string>> => {
    const result = await client.callTool({ name: "note", arguments: { text, afterMs } })
    const { content } = CallToolResultSchema.parse(result)
    return content.map((part) => (part.type === "text" ? part.text : ""))
  }
  return { client, id, key: `${owner}~${id}`, note, terminate: () => transport.terminateSession() }
}

/** A request with a session's id, whoever sends it. */
const post = ({ url }: Server, id: string, headers: Readonly<Record<string, string>>) =>
  fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-session-id": id,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
  })

describe.concurrent("mcp", () => {
  let server: Server
  let end = () => {}
  beforeAll(async () => {
    server = await serve("mcp/main.ts", {}, (kill) => void (end = kill))
  })
  afterAll(() => end())

  test("L1: tool calls reuse the server that the first request opened", async (context) => {
    const { client, key, note } = await connect(context, server, "alice")
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["note"])
    expect(await note("milk")).toEqual(["milk"])
    expect(await note("bread")).toEqual(["milk", "bread"])
    expect(server.lines.filter((line) => line === `${key} opened`)).toHaveLength(1)
  })

  test("calls overlap: a slow one keeps no other waiting", async (context) => {
    const { note } = await connect(context, server, "alice")
    const slow = note("slow", 1000)
    expect(await note("quick")).toEqual(["quick"])
    expect(await slow).toEqual(["quick", "slow"])
  })

  test("L19: each client has a server of its own", async (context) => {
    const [one, two] = await Promise.all([
      connect(context, server, "alice"),
      connect(context, server, "alice"),
    ])
    expect(one.id).not.toBe(two.id)
    await one.note("mine")
    expect(await two.note("yours")).toEqual(["yours"])
  })

  test("an id that nobody issued is 404 and opens nothing; no token, or a wrong one, is 401", async () => {
    const alice = { authorization: "Bearer token-of-alice" }
    const unknown = await post(server, "made-up", alice)
    expect(unknown.status).toBe(404)
    expect(await unknown.json()).toMatchObject({ error: { tag: "SessionRefused", reason: "NotFound" } })
    expect((await post(server, "made-up", {})).status).toBe(401)
    expect((await post(server, "made-up", { authorization: "Bearer forged" })).status).toBe(401)
    expect(server.lines.join()).not.toContain("made-up")
  })

  test("another owner's id does not reach the session", async (context) => {
    const { id, note } = await connect(context, server, "alice")
    await note("private")
    expect((await post(server, id, { authorization: "Bearer token-of-bob" })).status).toBe(404)
    expect((await post(server, id, {})).status).toBe(401)
    expect(server.lines).not.toContain(`bob~${id} opened`)
    expect(await note("still here")).toEqual(["private", "still here"])
  })

  test("L4: a client that says DELETE ends its session, and its id is 404 from then on", async (context) => {
    const { key, id, note, terminate } = await connect(context, server, "alice")
    await note("milk")
    await terminate()
    await server.line(`${key} closed: Ended`)
    expect((await post(server, id, { authorization: "Bearer token-of-alice" })).status).toBe(404)
  })
})

test.concurrent("L8: a connected client is in use however quiet it is; one that has left is closed as idle", async (context) => {
  const server = await serve("mcp/main.ts", { IDLE_TIMEOUT: "1000" }, context.onTestFinished)
  const { client, key, note } = await connect(context, server, "alice")
  await note("milk")
  // Its standing GET is a turn that has not ended.
  await sleep(2000)
  expect(await note("bread")).toEqual(["milk", "bread"])
  expect(server.lines).not.toContain(`${key} closed: Idle`)
  await client.close()
  await server.line(`${key} closed: Idle`)
})

test.concurrent("L14: SIGINT lets a running tool call finish, closes every session and exits 0", async (context) => {
  const server = await serve("mcp/main.ts", {}, context.onTestFinished)
  // A client that keeps no standing GET open: what a server must answer that offers none.
  const withoutGet: Fetch = async (url, init) =>
    init?.method === "GET" ? new Response(null, { status: 405 }) : fetch(url, init)
  const busy = await connect(context, server, "alice", withoutGet)
  const quiet = await connect(context, server, "bob", withoutGet)
  const started = () => server.lines.filter((line) => line === `${busy.key} run: started`).length
  const before = started()
  const last = busy.note("last words", 600)
  await vi.waitFor(() => expect(started()).toBe(before + 1), 10_000)
  server.signal("SIGINT")
  expect(await last).toEqual(["last words"])
  const { code, stderr } = await server.exit
  expect(stderr).toBe("")
  expect(code).toBe(0)
  expect(server.lines).toContain(`${busy.key} closed: Drained`)
  expect(server.lines).toContain(`${quiet.key} closed: Drained`)
})
