/** A real TCP server on this machine that sends back lines, and at random does not. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net"
import type { Tally } from "../faults.ts"
import type { Random } from "../random.ts"

const manners = {
  honest: 60,
  slow: 12,
  mute: 8,
  destroys: 10,
  ends: 6,
  "destroys at once": 4,
} as const

export class EchoServer {
  readonly #server: Server
  readonly #random: Random
  readonly #tally: Tally
  readonly sockets = new Set<Socket>()
  readonly #manners = new WeakMap<Socket, string>()
  #connections = 0

  private constructor(server: Server, random: Random, tally: Tally) {
    this.#server = server
    this.#random = random
    this.#tally = tally
    server.on("connection", (socket) => this.#serve(socket))
  }
  static async start(random: Random, tally: Tally): Promise<EchoServer> {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(0, "127.0.0.1", resolve)
    })
    return new EchoServer(server, random, tally)
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  /** For people, when one is left. */
  openConnections(): ReadonlyArray<string> {
    return [...this.sockets].map(
      (socket) =>
        `port ${socket.remotePort} (${this.#manners.get(socket)}, ${socket.readyState}, read ${socket.bytesRead})`,
    )
  }

  #serve(socket: Socket): void {
    const random = this.#random.fork(++this.#connections)
    const manner = random.weighted(manners)
    const { fire } = this.#tally
    this.sockets.add(socket)
    this.#manners.set(socket, manner)
    const timers: Array<NodeJS.Timeout> = []
    const later = (ms: number, what: () => void): void => void timers.push(setTimeout(what, ms))
    socket.on("error", () => {})
    socket.on("close", () => {
      this.sockets.delete(socket)
      for (const timer of timers) clearTimeout(timer)
    })
    // The first line of a connection is its greeting: muteness begins behind it, mostly.
    let left = manner === "mute" ? random.between(0, 4) : Infinity
    switch (manner) {
      case "destroys at once":
        fire("server destroys it at once")
        return void socket.destroy()
      case "destroys":
        later(random.between(20, 900), () => {
          fire("server destroys the connection")
          socket.resetAndDestroy()
        })
        break
      case "ends":
        later(random.between(20, 900), () => {
          fire("server ends the connection")
          socket.end()
        })
        break
      case "honest":
      case "slow":
      case "mute":
    }
    socket.on("data", (data: Buffer) => {
      if (left <= 0) return fire("server stops answering")
      left--
      if (manner !== "slow") return void socket.write(data)
      fire("server answers slowly")
      later(random.between(20, 250), () => socket.write(data))
    })
  }
}
