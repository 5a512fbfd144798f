/** `node src/main.ts`: the chat on http://127.0.0.1:3000, or on `PORT`. Ctrl-C lets replies finish, puts every conversation away and ends. */
import { fileStore } from "@sojourn/core/node"
import { drainOnSignals } from "@sojourn/express"
import type { AddressInfo } from "node:net"
import { createApp } from "./app.ts"
import { createChats } from "./chats.ts"
import { createModel } from "./model.ts"
import { data, idleTimeout, port, secret, wordDelay } from "./settings.ts"

const chats = createChats({
  idleTimeout,
  store: data === undefined ? undefined : fileStore({ directory: data }),
})
const app = createApp({ chats, model: createModel(wordDelay), secret, log: (what) => console.warn(what) })
const server = app.listen(port, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
drainOnSignals({
  server,
  // With the time to close it fits into the 30 seconds that platforms mostly wait.
  finishWithin: "20 seconds",
  onDrained: (reports) => {
    const closed = reports.reduce((sum, report) => sum + report.closed, 0)
    console.log(`drained, conversations put away: ${closed}`)
  },
})
