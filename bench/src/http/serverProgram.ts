/** The program of a server's process: serves one app on a free loopback port until its parent is gone. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { routes, streams } from "./apps.ts"

/** What the server did since it began. */
export interface Figures {
  readonly turns: number
  /** Of everything that was answered. */
  readonly sum: number
  /** Microseconds of processor time, of all threads. */
  readonly cpu: number
}

const make = { ...routes, ...streams }[process.argv[2] ?? ""]
if (make === undefined) throw new Error(`no app is called ${process.argv[2]}`)
const { app, states } = make()

const figures = (): Figures => {
  let turns = 0
  let sum = 0
  for (const { count } of states()) {
    turns += count
    sum += (count * (count + 1)) / 2
  }
  const { user, system } = process.cpuUsage()
  return { turns, sum, cpu: user + system }
}

const server = createServer(app).listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
process.on("message", () => process.send?.({ figures: figures() }))
process.on("disconnect", () => process.exit(0))
