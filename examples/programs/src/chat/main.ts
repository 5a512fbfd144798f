/** A chat that streams, stops and survives a lost connection; its history survives an idle close; a clean end. */
import { createSessions } from "@sojourn/core"
import { drainOnSignals, fromRequest, sendSse, sessionErrors } from "@sojourn/express"
import {
  convertToModelMessages,
  streamText,
  toUIMessageStream,
  UI_MESSAGE_STREAM_HEADERS,
  validateUIMessages,
  type UIMessage,
} from "ai"
import express from "express"
import { logAddress, logSessions } from "../log.ts"
import { idleTimeout, port } from "../settings.ts"
import { login } from "./login.ts"
import { model } from "./model.ts"

const chats = createSessions({
  name: "chat",
  open: async ({ restored, save }) => {
    // It takes an empty list for a mistake.
    const messages: UIMessage[] =
      Array.isArray(restored) && restored.length > 0 ? await validateUIMessages({ messages: restored }) : []
    save(() => messages)
    return { messages }
  },
  idleTimeout,
})
const chat = fromRequest(chats, { owner: (req) => req.user?.id, id: (req) => req.params["chat"] })
const ui = { headers: UI_MESSAGE_STREAM_HEADERS, done: "[DONE]" }
const app = express().use(express.json(), login)
app.post("/chats/:chat", (req, res) =>
  sendSse(
    res,
    chat(req, res).stream(
      async ({ messages }, { signal }) => {
        // What a client sends is checked before it is history: one bad message would spoil every later turn.
        messages.push(...(await validateUIMessages({ messages: [req.body.message] })))
        const { stream } = streamText({
          model,
          messages: await convertToModelMessages(messages),
          abortSignal: signal,
        })
        return toUIMessageStream({
          stream,
          onEnd: ({ responseMessage }) => void messages.push(responseMessage),
        })
      },
      { name: "reply", whenBusy: "reject", resumable: true },
    ),
    ui,
  ),
)
app.get("/chats/:chat/stream", async (req, res) => sendSse(res, await chat(req, res).resume(), ui))
app.post("/chats/:chat/stop", async (req, res) => res.json({ stopped: await chat(req, res).cancel() }))
app.get("/chats/:chat", async (req, res) =>
  res.json(await chat(req, res).run(({ messages }) => messages.slice(), { whenBusy: "overlap" })),
)
app.use(sessionErrors())
logSessions(chats)
const server = app.listen(port, "127.0.0.1")
logAddress(server)
drainOnSignals({ server })
