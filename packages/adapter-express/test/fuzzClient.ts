/** Sends what it is told to, leaves when it is told to, and says what came back. */
import { Agent, request, type IncomingMessage } from "node:http"
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { Asked, Raw, Shot } from "./fuzzShots.ts"

export interface Reply {
  /** One, but for several requests on one connection. */
  readonly statuses: ReadonlyArray<number>
  readonly headers: IncomingMessage["headers"]
  readonly body: string
  /** `left`: by itself. `refused`: the server has closed the connection without an answer. */
  readonly end: "complete" | "broken off" | "left" | "refused"
}

/** Longer than anything takes that is answered at all, however busy the machine is. */
const patience = 30_000

export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 48, scheduling: "fifo" })

  send(port: number, shot: Shot): Promise<Reply> {
    return shot.kind === "asked" ? this.#ask(port, shot) : sendRaw(port, shot)
  }
  close(): void {
    this.#agent.destroy()
  }

  #ask(port: number, { method, path, headers, body, leaving }: Asked): Promise<Reply> {
    return new Promise((resolve, reject) => {
      let left = false
      let response: IncomingMessage | undefined
      let text = ""
      const done = (end: Reply["end"]): void => {
        clearTimeout(impatience)
        const { statusCode, headers: got = {} } = response ?? {}
        resolve({ statuses: statusCode === undefined ? [] : [statusCode], headers: got, body: text, end })
      }
      const outgoing = request({
        host: "127.0.0.1",
        port,
        method,
        path,
        // Else Node would send the body of a GET without saying how long it is.
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": body.length }) },
        agent: this.#agent,
      })
      const leave = (): void => {
        left = true
        outgoing.destroy()
      }
      const impatience = setTimeout(() => {
        outgoing.destroy()
        reject(new Error(`no end after ${patience} ms`))
      }, patience)
      outgoing.on("error", () => {})
      outgoing.on("close", () => {
        // Else its response says how it ended.
        if (response === undefined) done(left ? "left" : "refused")
      })
      outgoing.on("response", (incoming) => {
        response = incoming
        let length = 0
        incoming.on("data", (chunk: Buffer) => {
          length += chunk.length
          if (text.length < 20_000) text += chunk.toString("latin1")
          if (leaving.at === "body" && length >= leaving.bytes) leave()
        })
        incoming.on("error", () => {})
        incoming.on("close", () => done(left ? "left" : incoming.complete ? "complete" : "broken off"))
        if (leaving.at === "headers") leave()
      })
      outgoing.end(body, () => {
        if (leaving.at === "once sent") leave()
        if (leaving.at === "time") setTimeout(leave, leaving.ms)
      })
    })
  }
}

/** How long a connection that expects nothing more is kept open. */
const lingering = 40

const sendRaw = async (port: number, { parts, ms, leaving }: Raw): Promise<Reply> => {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()))
  let text = ""
  socket.on("error", () => {})
  socket.on("data", (chunk: Buffer) => {
    if (text.length < 20_000) text += chunk.toString("latin1")
  })
  // The server has said all: what is half open would stay so.
  socket.on("end", () => socket.end())
  for (const [at, part] of parts.entries()) {
    if (at > 0) await sleep(ms)
    if (socket.destroyed) break
    socket.write(part)
  }
  if (leaving === "ends") socket.end()
  if (leaving !== "destroys") await Promise.race([closed, sleep(lingering)])
  const over = socket.closed
  socket.destroy()
  await closed
  const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g), ([, status]) => Number(status))
  return { statuses, headers: {}, body: text, end: over ? "complete" : "left" }
}
