/** A user's socket: each message is an address, a turn that visits it, and an answer; the session stays while it is open. */
import { once } from "node:events"
import type { WebSocket } from "ws"
import { pages, visit } from "./pages.ts"

export const connected = async (socket: WebSocket, user: string): Promise<void> => {
  const left = new AbortController()
  socket.once("close", () => left.abort())
  socket.on("error", report)
  endWhenSilent(socket)
  const page = pages.at({ owner: user }, { name: "visit", signal: left.signal })
  const answers = new Set<Promise<void>>()
  socket.on("message", (url: Buffer) => {
    // Not a turn of the lease: it may wait for the next browser, while a lease ends with its own.
    const turn = page.run((it) => visit(it, url.toString()))
    const answer = tell(socket, turn).finally(() => answers.delete(answer))
    answers.add(answer)
  })
  try {
    await stay(user, left.signal)
  } catch (error) {
    if (left.signal.aborted) return
    report(error)
    // Draining, or no browser can be had: what was let in is still answered.
    await Promise.allSettled(answers)
    socket.close(tryAgainLater)
  }
}
const tryAgainLater = 1013

/** Holds one browser after the other: lost or recycled, its lease ends, and the next lease opens the next. */
const stay = async (user: string, left: AbortSignal): Promise<void> => {
  while (!left.aborted) {
    await using lease = await pages.lease({ owner: user }, { name: "socket", signal: left })
    const over = AbortSignal.any([left, lease.signal])
    if (!over.aborted) await once(over, "abort")
  }
}

const tell = async (socket: WebSocket, turn: Promise<string>): Promise<void> => {
  let answer: unknown
  try {
    answer = { title: await turn }
  } catch (error) {
    report(error)
    answer = { error: textOf(error) }
  }
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(answer))
}

/** A peer that went without a word answers no ping; its session would stay for ever. */
const endWhenSilent = (socket: WebSocket): void => {
  let answered = true
  socket.on("pong", () => void (answered = true))
  const timer = setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, 30_000)
  socket.once("close", () => clearInterval(timer))
}

/** Playwright tells a long story after the first line. */
const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? ""
const report = (error: unknown): void => console.log(`failed: ${textOf(error)}`)
