/** `node fuzzServer.ts`: both versions of Express under fire, in a process whose every word is kept. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type Figures, target } from "./fuzzApp.ts"
import { marks } from "./fuzzHostile.ts"
import { versions } from "./versions.ts"

export interface State {
  readonly figures: ReadonlyArray<Figures>
  readonly strangers: number
  /** `Object.prototype` has something that nobody here has put there. */
  readonly polluted: boolean
}

export type Question = "state" | "end" | "exit"
export type Ready = { readonly ports: Readonly<Record<4 | 5, number>> }

const known = new Set(Object.getOwnPropertyNames(Object.prototype))
const [of5, of4] = versions.map(({ express }, at) => target(express, at === 0 ? 5 : 4))
if (of5 === undefined || of4 === undefined) throw new Error("no such version")

const state = (): State => ({
  figures: [...of5.figures(), ...of4.figures()],
  strangers: of5.strangers() + of4.strangers(),
  polluted: Object.getOwnPropertyNames(Object.prototype).some((name) => !known.has(name)) || marks.id in {},
})

const listen = async ({ app }: typeof of5): Promise<number> => {
  const server = createServer(app as never)
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  return (server.address() as AddressInfo).port
}

process.on("message", async (question: Question) => {
  if (question === "exit") return process.exit(0)
  if (question === "end") await Promise.all([of5.end(), of4.end()])
  process.send?.(state())
})
process.on("disconnect", () => process.exit(0))
process.send?.({ ports: { 4: await listen(of4), 5: await listen(of5) } } satisfies Ready)
