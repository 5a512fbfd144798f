/** The server as users run it, with the SDK's own client over loopback HTTP. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { CallToolResultSchema, LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js"
import { describe, expect, it, onTestFinished } from "vitest"
import { start, type Program } from "./program.ts"

const alice = "a-token-of-alice"
const bob = "the-token-of-bob"
const TOKENS = `${alice}=alice,${bob}=bob`

const serve = async (
  env: Readonly<Record<string, string>> = {},
): Promise<Program & { readonly url: string }> => {
  const program = start({ TOKENS, ...env })
  const address = await program.line("listening on ")
  return { ...program, url: address.slice("listening on ".length) }
}

const connect = async (url: string, token: string) => {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  const client = new Client({ name: "test", version: "1.0.0" })
  await client.connect(transport)
  onTestFinished(() => client.close())
  const call = async (name: string, args: Readonly<Record<string, unknown>> = {}) => {
    const { content } = CallToolResultSchema.parse(await client.callTool({ name, arguments: args }))
    return content.map((part) => (part.type === "text" ? part.text : ""))
  }
  return { call, client, transport }
}

describe("the notebook server", () => {
  it("L19 keeps a notebook for each client, of the same user too", async () => {
    const { url, lines } = await serve()
    const [one, two, other] = await Promise.all([connect(url, alice), connect(url, alice), connect(url, bob)])
    await one.call("write", { title: "milk", note: "two bottles" })
    await one.call("write", { title: "bread", note: "rye" })
    expect(await one.call("list")).toEqual(["milk", "bread"])
    expect(await one.call("read", { title: "milk" })).toEqual(["two bottles"])
    expect(await two.call("list")).toEqual([])
    expect(await other.call("read", { title: "milk" })).toEqual(["no such note: milk"])
    const { contents } = await one.client.readResource({ uri: "notebook://all" })
    expect(contents.map(({ uri }) => uri)).toEqual(["notebook://all/milk", "notebook://all/bread"])
    expect(lines.filter((line) => line.endsWith("opened")).toSorted()).toEqual([
      "alice opened",
      "alice opened",
      "bob opened",
    ])
  })

  it("lets nobody in without a token, and no user into another's session", async () => {
    const { url } = await serve()
    await expect(connect(url, "forged")).rejects.toThrow("unknown token")
    const { call, transport } = await connect(url, alice)
    await call("write", { title: "secret", note: "42" })
    const intruder = await fetch(url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${bob}`,
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-session-id": transport.sessionId ?? "",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "list" } }),
    })
    expect(intruder.status).toBe(404)
    expect(await intruder.text()).not.toContain("secret")
  })

  it("says later what it was asked to, over the standing GET", async () => {
    const { url } = await serve()
    const { call, client } = await connect(url, alice)
    const said = new Promise((resolve) =>
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => resolve(params.data)),
    )
    await call("remind", { what: "tea", afterMs: 200 })
    expect(await said).toBe("tea")
  })

  it("L5, L8 stops what nobody waits for, and forgets who stays away", async () => {
    const { url, line } = await serve({ IDLE_TIMEOUT: "500" })
    const { call, client } = await connect(url, alice)
    await call("write", { title: "first", note: "one" })
    await call("write", { title: "second", note: "two" })
    const begun = Promise.withResolvers<void>()
    const lost = client
      .callTool({ name: "recite", arguments: { everyMs: 1000 } }, undefined, {
        onprogress: () => begun.resolve(),
      })
      .catch(() => "lost")
    await begun.promise
    await client.close()
    expect(await lost).toBe("lost")
    await line("tools/call: cancelled")
    await line("alice closed: Idle")
  })

  it("L14 drains on SIGTERM: calls finish, streams end at once, exit 0", async () => {
    const { url, exit, lines, signal } = await serve()
    expect((await fetch(new URL("/ready", url))).status).toBe(200)
    const [busy] = await Promise.all([connect(url, alice), connect(url, bob)])
    await busy.call("write", { title: "last", note: "words" })
    await busy.call("write", { title: "very last", note: "word" })
    const begun = Promise.withResolvers<void>()
    const recited = busy.client.callTool({ name: "recite", arguments: { everyMs: 500 } }, undefined, {
      onprogress: () => begun.resolve(),
    })
    await begun.promise
    const from = performance.now()
    signal("SIGTERM")
    expect(await recited).toMatchObject({ content: [{ text: "last: words" }, { text: "very last: word" }] })
    expect(await exit).toEqual({ code: 0, stderr: "" })
    expect(performance.now() - from).toBeLessThan(8000)
    expect(lines.filter((line) => line.endsWith("closed: Drained")).toSorted()).toEqual([
      "alice closed: Drained",
      "bob closed: Drained",
    ])
  })

  it("does not start without tokens, or with ones that are too short", async () => {
    for (const wrong of ["", "short=alice"]) {
      const { code, stderr } = await start({ TOKENS: wrong }).exit
      expect(code).toBe(1)
      expect(stderr).toContain("TOKENS")
    }
  })
})
