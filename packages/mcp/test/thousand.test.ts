/** A thousand clients of the SDK, each with a standing GET and every other one with a call, are killed at once. */
import { expect, it } from "vitest"
import { connect, notebooks, serve } from "./support.ts"
import { vanishing } from "./vanishing.ts"

it(
  "L5, L8 of a thousand clients that vanish no session is left after the idle time, and all their calls are aborted",
  { timeout: 120_000 },
  async () => {
    const clients = 1000
    const books = notebooks({ idleTimeout: 4000, maxPerOwner: clients })
    const { url } = await serve(books.app)
    const vanish: Array<() => void> = []
    let begun = 0
    const come = async (): Promise<void> => {
      while (begun < clients) {
        const number = begun++
        const own = vanishing()
        const { call, leave } = await connect(url, { fetch: own.fetch })
        if (number % 2 === 0) call("wait", { name: `call ${number}` }).catch(() => {})
        vanish.push(() => {
          own.vanish()
          void leave()
        })
      }
    }
    await Promise.all(Array.from({ length: 10 }, come))
    const calls = clients / 2
    await books.facts.until(() => books.running() === clients + calls, "all are there", 60_000)
    expect([books.sessions(), books.reasons()]).toEqual([clients, []])

    for (const leave of vanish) leave()
    await books.facts.until(() => books.running() === 0, "all turns have ended", 30_000)
    await books.facts.until(() => books.sessions() === 0, "all sessions are closed", 30_000)
    expect(new Set(books.reasons())).toEqual(new Set(["Idle"]))
    expect(books.count("Closed")).toBe(clients)
    const aborted = [...books.books.values()].flatMap((book) => book.aborted)
    expect(aborted).toHaveLength(calls)
    expect(books.servers.snapshot()).toMatchObject({
      sessions: [],
      counts: { running: 0, leaked: 0, leases: 0 },
    })
    expect(books.errors).toEqual([])
  },
)
