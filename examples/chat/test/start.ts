/** The application in this process, with a model that waits for the test's word. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"
import { createApp } from "../src/app.ts"
import { createChats, type ChatsOptions } from "../src/chats.ts"
import { pacedModel } from "./pacedModel.ts"

export const start = async (options: ChatsOptions = {}) => {
  const { model, asked, refuse } = pacedModel()
  const chats = createChats(options)
  const log: Array<unknown> = []
  const app = createApp({
    chats,
    model,
    secret: "a secret of the tests",
    log: (what) => void log.push(what),
  })
  const server = createServer(app)
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await chats.drain({ finishWithin: 0 })
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, chats, asked, refuse, log, cut: () => server.closeAllConnections() }
}
