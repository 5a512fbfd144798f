/** Is the client still there? */
import { once } from "node:events"
import { Agent } from "node:http"
import type { Socket } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import type { App, Serve } from "../App.ts"
import { answer } from "../client/answer.ts"
import { hold } from "../client/hold.ts"
import { raw, RawClient } from "../client/raw.ts"
import { atRest, next, until } from "../client/until.ts"
import { as } from "../fixture.ts"

export const presence = (serve: Serve): void => {
  const headers = as("alice")
  const key = { owner: "alice", id: "a" }

  test.each(["/counters/a", "/keys/a"])("L5: a client that leaves cancels its turn: %s", async (path) => {
    const app = await serve()
    const { started, free } = hold(app)
    const client = new RawClient(app.url, path, { headers })
    const signal = await started
    const ended = next(app.sessions, "TaskEnded")
    client.leave()
    expect((await ended).outcome).toBe("cancelled")
    expect(signal.aborted).toBe(true)
    expect(app.rejected).toEqual([expect.objectContaining({ name: "AbortError" })])
    free()
    expect(await answer(app, "/counters/a", "alice")).toMatchObject({ turns: 1 })
    expect([app.opened.length, app.errors]).toEqual([1, []])
  })

  test("L5: with onDisconnect continue the turn outlives its client", async () => {
    const app = await serve()
    const { started, go } = hold(app)
    const ended = next(app.sessions, "TaskEnded")
    const closed = closedConnection(app)
    const client = new RawClient(app.url, "/outlive/a", { headers })
    const signal = await started
    client.leave()
    await closed
    expect(signal.aborted).toBe(false)
    go()
    expect((await ended).outcome).toBe("succeeded")
    expect(app.errors).toEqual([])
  })

  test("L5: a client that leaves the line is forgotten there; its turn never starts", async () => {
    const app = await serve()
    const { started, go, free } = hold(app)
    const first = app.request("/counters/a", { headers })
    await started
    free()
    const second = new RawClient(app.url, "/counters/a", { headers })
    await until(() => app.sessions.snapshot().counts.queued === 1)
    second.leave()
    await until(() => app.sessions.snapshot().counts.queued === 0)
    go()
    expect((await first).status).toBe(200)
    expect(await answer(app, "/counters/a", "alice")).toMatchObject({ turns: 1 })
  })

  test("L1: an opening that nobody waits for any more is given up", async () => {
    const opening = Promise.withResolvers<AbortSignal>()
    const app = await serve({
      opening: ({ signal }) => {
        opening.resolve(signal)
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        )
      },
    })
    const client = new RawClient(app.url, "/counters/a", { headers })
    const signal = await opening.promise
    client.leave()
    await until(() => signal.aborted)
    await atRest(app.sessions)
    expect(app.errors).toEqual([])
  })

  test("L5: a complete answer aborts nothing, then or later", async () => {
    const app = await serve()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const background = Promise.withResolvers<void>()
    const { turn } = app.script
    app.script.turn = (counter, task) => {
      task.background("later", () => background.promise)
      return turn(counter, task)
    }
    const closed = closedConnection(app)
    await raw(app.url, "/keys/a", { headers, agent })
    const signal = app.presence()
    expect(signal?.aborted).toBe(false)
    // The connection serves another request, so the first answer is over there too; then it is lost.
    await raw(app.url, "/counters/b", { headers, agent })
    expect(signal?.aborted).toBe(false)
    agent.destroy()
    await closed
    expect(signal?.aborted).toBe(false)
    expect(app.sessions.explain(key).alive).toMatchObject([{ kind: "background" }])
    const ended = next(app.sessions, "TaskEnded", ({ session }) => session.id === "a")
    background.resolve()
    expect((await ended).outcome).toBe("succeeded")
  })

  test("L5: who has left is answered nothing, and is no error of the application's", async () => {
    const app = await serve()
    const { free } = hold(app)
    const clients = Array.from(
      { length: 20 },
      (_, n) => new RawClient(app.url, `/counters/${n}`, { headers }),
    )
    await until(() => app.sessions.snapshot().counts.running === 20)
    for (const client of clients) client.leave()
    await atRest(app.sessions)
    free()
    expect(await answer(app, "/others/a", "alice")).toMatchObject({ turns: 1 })
    expect(app.errors).toEqual([])
  })
}

/** The server has seen the end of the next connection that begins. */
const closedConnection = async (app: App): Promise<void> => {
  const [socket] = (await once(app.server, "connection")) as [Socket]
  await once(socket, "close")
}
