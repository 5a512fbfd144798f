/** A drain: who is here may finish, who comes is sent elsewhere, streams are told. */
import { expect, test } from "vitest"
import type { App, Serve } from "../App.ts"
import { allEvents, events, rest, take } from "../client/events.ts"
import { told } from "../client/told.ts"
import { next } from "../client/until.ts"
import { as } from "../fixture.ts"

export const draining = (serve: Serve): void => {
  const headers = as("alice")

  test("L14: a drain refuses new work and turns readiness red at once, and lets what runs finish", async () => {
    const app = await serve()
    const go = Promise.withResolvers<object>()
    const started = Promise.withResolvers<void>()
    app.script.turn = () => {
      started.resolve()
      return go.promise
    }
    const running = app.request("/counters/a", { headers })
    await started.promise
    expect(await ready(app)).toEqual([200, { status: "ready" }])

    const report = app.sessions.drain({ finishWithin: "1 minute" })
    expect(await ready(app)).toEqual([503, { status: "draining" }])
    expect(await told(await app.request("/counters/a", { headers }))).toEqual([
      503,
      "SessionRefused",
      "Draining",
    ])
    expect(await told(await app.request("/watch/b", { headers }))).toEqual([
      503,
      "SessionRefused",
      "Draining",
    ])
    expect(await told(await app.request("/body/b", { headers }))).toEqual([503, "SessionRefused", "Draining"])
    go.resolve({ finished: true })
    const response = await running
    expect([response.status, await response.json()]).toEqual([200, { finished: true }])
    expect(await report).toMatchObject({ finished: 1, cut: [], leaked: [], closed: 1 })
    // Drained is not ready either, and the other registry of the application is not drained.
    expect(await ready(app)).toEqual([503, { status: "draining" }])
    expect(await told(await app.request("/counters/a", { headers }))).toEqual([
      503,
      "SessionRefused",
      "Draining",
    ])
    app.script.turn = () => ({})
    expect((await app.request("/others/a", { headers })).status).toBe(200)
  })

  test("L14: what has not finished in its time is told so", async () => {
    const app = await serve()
    const started = Promise.withResolvers<void>()
    app.script.turn = (_counter, { signal }) => {
      started.resolve()
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    }
    const running = app.request("/counters/a", { headers })
    await started.promise
    const { cut } = await app.sessions.drain({ finishWithin: 0 })
    expect(await told(await running)).toEqual([503, "TaskStopped", "Drained"])
    expect(cut).toHaveLength(1)
  })

  test("L14: a stream is told of the drain, and may go on to its end", async () => {
    const app = await serve()
    const begun = Promise.withResolvers<void>()
    app.script.elements = async function* (_counter, { draining: drains }) {
      yield "before"
      begun.resolve()
      await new Promise((resolve) => drains.addEventListener("abort", resolve, { once: true }))
      yield "after"
    }
    const stream = events(await app.request("/watch/a", { headers }))
    await take(stream, 1)
    await begun.promise
    const report = app.sessions.drain({ finishWithin: "1 minute" })
    const left = await rest(stream)
    expect(left.map((event) => event["data"]).filter((data) => data !== undefined)).toEqual(['"after"'])
    expect(await report).toMatchObject({ finished: 1, cut: [], leaked: [] })
  })

  test("L14: with onDrain end the answer ends at once, so that the browser comes back elsewhere", async () => {
    const app = await serve()
    app.script.events = { onDrain: "end" }
    app.script.elements = async function* (_counter, { signal }) {
      yield "before"
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
    }
    const ended = next(app.sessions, "TaskEnded")
    const stream = events(await app.request("/watch/a", { headers }))
    await take(stream, 1)
    const report = app.sessions.drain({ finishWithin: "1 minute" })
    expect(await rest(stream)).toEqual([])
    expect((await ended).outcome).toBe("cancelled")
    expect((await report).leaked).toEqual([])
  })

  test("L14: a drain cuts a stream that does not end; its client is told why", async () => {
    const app = await serve()
    app.script.elements = async function* (_counter, { signal }) {
      yield "before"
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
      signal.throwIfAborted()
    }
    const stream = events(await app.request("/watch/a", { headers }))
    await take(stream, 1)
    const report = app.sessions.drain({ finishWithin: 0 })
    const left = await rest(stream)
    expect(left.at(-1)).toEqual({
      event: "error",
      data: '{"error":{"tag":"TaskStopped","reason":"Drained"}}',
    })
    expect((await report).cut).toHaveLength(1)
    expect(app.errors).toEqual([])
  })

  test("L5: a resumable stream that ended before the drain can no longer be found after it", async () => {
    const app = await serve()
    app.script.streamOptions = { resumable: true }
    await allEvents(await app.request("/events/a", { method: "POST", headers }))
    await app.sessions.drain()
    expect([204, 503]).toContain((await app.request("/events/a", { headers })).status)
  })
}

const ready = async (app: App): Promise<readonly [status: number, body: unknown]> => {
  const response = await app.request("/ready")
  expect(response.headers.get("cache-control")).toBe("no-store")
  return [response.status, await response.json()]
}
