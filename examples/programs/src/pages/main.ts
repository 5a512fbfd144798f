/** Visits pages for its users, over HTTP and over WebSockets. */
import { drainOnSignals, fromRequest, sessionErrors } from "@sojourn/express"
import express from "express"
import { WebSocketServer } from "ws"
import { login, userOf } from "../chat/login.ts"
import { logAddress, logSessions } from "../log.ts"
import { port } from "../settings.ts"
import { connected } from "./connected.ts"
import { pages, visit } from "./pages.ts"

const app = express().use(login)
const page = fromRequest(pages, { owner: (req) => req.user?.id })
app.get("/title", async (req, res) => {
  const { url } = req.query
  if (typeof url !== "string") res.sendStatus(400)
  else res.json({ title: await page(req, res).run((it) => visit(it, url), { name: "visit" }) })
})
app.use(sessionErrors())
logSessions(pages)
const server = app.listen(port, "127.0.0.1")
logAddress(server)

const sockets = new WebSocketServer({ noServer: true, maxPayload: 4096 })
server.on("upgrade", (req, connection, head) => {
  const user = userOf(req.headers.authorization)
  if (user === undefined) connection.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n")
  else sockets.handleUpgrade(req, connection, head, (socket) => void connected(socket, user.id))
})
drainOnSignals({ server })
