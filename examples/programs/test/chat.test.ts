/** The chat as a real process, read as raw server-sent events and by the AI SDK's own client. */
import { DefaultChatTransport, readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { all, eventsOf, type ServerSent } from "./events.ts"
import { serve, type Server } from "./start.ts"

const alice = { authorization: "Bearer token-of-alice" }
const bob = { authorization: "Bearer token-of-bob" }
const words = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `w${index + 1}`)
const userMessage = (text: string): UIMessage => ({
  id: crypto.randomUUID(),
  role: "user",
  parts: [{ type: "text", text }],
})

/** What a browser does, on one chat of one user. */
const chatOf = ({ url }: Server, id: string, headers: Readonly<Record<string, string>> = alice) => ({
  say: (text: string, init: RequestInit = {}) =>
    fetch(`${url}/chats/${id}`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ message: userMessage(text) }),
      ...init,
    }),
  resume: (after?: string) =>
    fetch(`${url}/chats/${id}/stream`, {
      headers: after === undefined ? headers : { ...headers, "last-event-id": after },
    }),
  stop: async () => (await fetch(`${url}/chats/${id}/stop`, { method: "POST", headers })).json(),
  history: async () => {
    const messages = (await (await fetch(`${url}/chats/${id}`, { headers })).json()) as Array<UIMessage>
    return messages.map(({ role, parts }) => `${role}: ${textOf(parts)}`)
  },
})

const textOf = (parts: UIMessage["parts"]): string =>
  parts.map((part) => (part.type === "text" ? part.text : "")).join("")
const chunkOf = ({ data }: ServerSent): UIMessageChunk | undefined =>
  data?.startsWith("{") === true ? (JSON.parse(data) as UIMessageChunk) : undefined
const spokenIn = (events: ReadonlyArray<ServerSent>): string =>
  events
    .map(chunkOf)
    .map((chunk) => (chunk?.type === "text-delta" ? chunk.delta : ""))
    .join("")
const indexOf = ({ id }: ServerSent): number => Number(id?.split(":")[1])
/** Reads until so many words have come. */
const firstWords = async (events: AsyncGenerator<ServerSent>, count: number): Promise<Array<ServerSent>> => {
  const read: Array<ServerSent> = []
  let spoken = 0
  while (spoken < count) {
    const { value } = await events.next()
    if (value === undefined) throw new Error(`the stream ended after ${spoken} words`)
    read.push(value)
    if (chunkOf(value)?.type === "text-delta") spoken++
  }
  return read
}

describe.concurrent("chat", () => {
  let server: Server
  let end = () => {}
  beforeAll(async () => {
    server = await serve("chat/main.ts", {}, (kill) => void (end = kill))
  })
  afterAll(() => end())

  test("L6: a reply streams in order, numbered from 1, and ends with [DONE]", async () => {
    const response = await chatOf(server, "order").say(words(5).join(" "))
    expect(response.status).toBe(200)
    expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1")
    const events = await all(eventsOf(response))
    expect(spokenIn(events)).toBe("1: w1 w2 w3 w4 w5 ")
    expect(events.pop()).toEqual({ data: "[DONE]" })
    expect(events.map(indexOf)).toEqual(events.map((_, index) => index + 1))
  })

  test("L1: racing first requests share one open, and later ones reuse it", async () => {
    const chat = chatOf(server, "once")
    await Promise.all(Array.from({ length: 8 }, () => chat.history()))
    await all(eventsOf(await chat.say("hello")))
    expect(await chat.history()).toEqual(["user: hello", "assistant: 1: hello "])
    expect(server.lines.filter((line) => line === "alice~once opened")).toHaveLength(1)
  })

  test("the history can be read while a reply streams; a second question is refused", async () => {
    const chat = chatOf(server, "busy")
    const events = eventsOf(await chat.say(words(30).join(" ")))
    const first = await firstWords(events, 2)
    expect(await chat.history()).toEqual([`user: ${words(30).join(" ")}`])
    const refused = await chat.say("and another thing")
    expect(refused.status).toBe(409)
    expect(await refused.json()).toMatchObject({ error: { tag: "SessionRefused", reason: "Busy" } })
    const rest = await all(events)
    expect(spokenIn([...first, ...rest])).toBe(`1: ${words(30).join(" ")} `)
    expect(await chat.history()).toHaveLength(2)
  })

  test("L5: stop cancels the reply, keeps what was said, and the chat goes on", async () => {
    const chat = chatOf(server, "stop")
    const events = eventsOf(await chat.say(words(200).join(" ")))
    await firstWords(events, 3)
    expect(await chat.stop()).toEqual({ stopped: 1 })
    const last = (await all(events)).at(-1)
    expect(last).toEqual({
      event: "error",
      data: JSON.stringify({ error: { tag: "TaskStopped", reason: "Cancelled" } }),
    })
    await server.line("alice~stop reply: cancelled")
    expect(await chat.stop()).toEqual({ stopped: 0 })
    expect((await chat.history())[1]).toMatch(/^assistant: 1: w1 w2 /)
    expect(spokenIn(await all(eventsOf(await chat.say("go on"))))).toBe("2: go on ")
  })

  test("a connection is cut: the reply goes on, and its rest is delivered exactly once", async () => {
    const chat = chatOf(server, "cut")
    const connection = new AbortController()
    const before = await firstWords(
      eventsOf(await chat.say(words(20).join(" "), { signal: connection.signal })),
      4,
    )
    connection.abort()
    const after = await all(eventsOf(await chat.resume(before.at(-1)?.id)))
    expect(after.pop()).toEqual({ data: "[DONE]" })
    const whole = [...before, ...after]
    expect(whole.map(indexOf)).toEqual(whole.map((_, index) => index + 1))
    expect(spokenIn(whole)).toBe(`1: ${words(20).join(" ")} `)
    await server.line("alice~cut reply: succeeded")
    // Ended, it is kept a while for who says where to go on.
    expect(await all(eventsOf(await chat.resume(after.at(-2)?.id)))).toHaveLength(2)
    expect((await chat.resume()).status).toBe(204)
  })

  test("L19: who asks is part of the key: nobody reads another's chat, and nobody asks without a name", async () => {
    const chat = chatOf(server, "private")
    await all(eventsOf(await chat.say("a secret")))
    expect(await chatOf(server, "private", bob).history()).toEqual([])
    expect((await chatOf(server, "private", bob).resume()).status).toBe(204)
    expect((await chatOf(server, "private", {}).say("let me in")).status).toBe(401)
    expect(await chat.history()).toHaveLength(2)
  })

  test("the AI SDK's own client reads a reply, is told that it is busy, and finds a running one again", async () => {
    const transport = new DefaultChatTransport<UIMessage>({
      api: `${server.url}/chats`,
      headers: alice,
      prepareSendMessagesRequest: ({ api, id, messages }) => ({
        api: `${api}/${id}`,
        body: { message: messages.at(-1) },
      }),
    })
    const send = (text: string) =>
      transport.sendMessages({
        chatId: "sdk",
        messages: [userMessage(text)],
        trigger: "submit-message",
        messageId: undefined,
        abortSignal: undefined,
      })
    const running = await send(words(30).join(" "))
    await expect(send("too early")).rejects.toMatchObject({ statusCode: 409 })
    const found = await transport.reconnectToStream({ chatId: "sdk" })
    if (found === null) throw new Error("no running reply was found")
    for (const stream of [running, found]) {
      const states = await all(readUIMessageStream({ stream }))
      expect(textOf(states.at(-1)?.parts ?? [])).toBe(`1: ${words(30).join(" ")} `)
    }
    expect(await transport.reconnectToStream({ chatId: "sdk" })).toBeNull()
  })
})

test.concurrent("L8: an idle chat is closed, and the next request finds its history", async ({
  onTestFinished,
}) => {
  const server = await serve("chat/main.ts", { IDLE_TIMEOUT: "300" }, onTestFinished)
  const empty = chatOf(server, "empty")
  expect(await empty.history()).toEqual([])
  await server.line("alice~empty closed: Idle")
  expect(await empty.history()).toEqual([])
  const chat = chatOf(server, "idle")
  await all(eventsOf(await chat.say("before")))
  await server.line("alice~idle closed: Idle")
  expect(await chat.history()).toEqual(["user: before", "assistant: 1: before "])
  expect(spokenIn(await all(eventsOf(await chat.say("after"))))).toBe("2: after ")
  expect(server.lines.filter((line) => line === "alice~idle opened").length).toBeGreaterThan(1)
})

test.concurrent("L14: SIGINT lets a running reply finish, closes every chat and exits 0", async ({
  onTestFinished,
}) => {
  const server = await serve("chat/main.ts", {}, onTestFinished)
  await chatOf(server, "resting").history()
  const events = eventsOf(await chatOf(server, "talking").say(words(25).join(" ")))
  const before = await firstWords(events, 2)
  server.signal("SIGINT")
  const whole = [...before, ...(await all(events))]
  expect(whole.at(-1)).toEqual({ data: "[DONE]" })
  expect(spokenIn(whole)).toBe(`1: ${words(25).join(" ")} `)
  const { code, stderr } = await server.exit
  expect(stderr).toBe("")
  expect(code).toBe(0)
  expect(server.lines).toContain("alice~talking reply: succeeded")
  expect(server.lines).toContain("alice~talking closed: Drained")
  expect(server.lines).toContain("alice~resting closed: Drained")
  await expect(chatOf(server, "late").history()).rejects.toThrow("fetch failed")
})
