/** All of it at once. */
import { liveRegistries } from "@sojourn/core/host"
import { expect, onTestFinished, test } from "vitest"
import type { App, Serve } from "../App.ts"
import { raw, RawClient } from "../client/raw.ts"
import { atRest } from "../client/until.ts"
import { as } from "../fixture.ts"

export const load = (serve: Serve): void => {
  test("L2, L4: hundreds of requests of every kind leave nothing running, and nothing behind", async () => {
    const warnings: Array<Error> = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on("warning", warned)
    onTestFinished(() => void process.off("warning", warned))
    const app = await serve({
      policy: { maxPerOwner: 4, maxSessions: 12, maxQueued: 8, timeouts: { seat: "20 seconds" } },
    })
    app.script.elements = async function* () {
      for (let n = 0; n < 20; n++) yield n
    }
    app.script.streamOptions = { resumable: false }

    const random = randomly(20_260_727)
    const pick = <A>(list: ReadonlyArray<A>): A => list[random(list.length)] as A
    const statuses = new Map<number, number>()
    const settled = await Promise.allSettled(
      Array.from({ length: 400 }, async () => {
        const init = { headers: as(pick(["alice", "bob", "carol", "dave"])) }
        const path = pick(["/counters/", "/others/", "/keys/", "/outlive/", "/watch/", "/body/"]) + random(6)
        const status = await pick([complete, complete, complete, leaves, readsAndLeaves, hostile])(
          app,
          path,
          init,
        )
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }),
    )
    expect(settled.filter(({ status }) => status === "rejected")).toEqual([])
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
    expect(statuses.get(200)).toBeGreaterThan(200)

    await Promise.all([atRest(app.sessions), atRest(app.others)])
    expect(app.errors).toEqual([])
    for (const sessions of [app.sessions, app.others]) {
      const before = sessions.snapshot()
      expect(before.counts).toMatchObject({ running: 0, queued: 0, leases: 0, leaked: 0 })
      for (const { session } of before.sessions) expect(sessions.explain(session).alive).toEqual([])
      const report = await sessions.drain()
      expect(report).toMatchObject({ cut: [], leaked: [] })
      expect(sessions.snapshot().sessions).toEqual([])
      expect(liveRegistries()).not.toContain(sessions)
    }
    expect(warnings).toEqual([])
  })
}

type Visit = (
  app: App,
  path: string,
  init: { readonly headers: { readonly authorization: string } },
) => Promise<number>

const complete: Visit = async (app, path, init) => {
  const response = await app.request(path, init)
  await response.arrayBuffer()
  return response.status
}
/** Goes away as soon as it has asked. */
const leaves: Visit = async (app, path, init) => {
  const client = new RawClient(app.url, path, init)
  await new Promise((resolve) => setImmediate(resolve))
  client.leave()
  return 0
}
const readsAndLeaves: Visit = async (app, path, init) => {
  const client = new RawClient(app.url, path, init)
  const response = await client.response
  response.resume()
  client.leave()
  return response.statusCode ?? 0
}
const hostile: Visit = async (app, path, init) => {
  const { status } = await raw(app.url, `${path}%2F..%2F${"%00".repeat(3)}`, init)
  return status
}

/** The same sequence for the same seed (mulberry32). */
const randomly = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below) >>> 0
  }
}
