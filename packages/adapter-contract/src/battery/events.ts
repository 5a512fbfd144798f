/** Streams as server-sent events. */
import { once } from "node:events"
import { expect, test } from "vitest"
import type { App, Serve } from "../App.ts"
import { answer } from "../client/answer.ts"
import { allEvents, events as eventsOf, take, type WireEvent } from "../client/events.ts"
import { told } from "../client/told.ts"
import { raw, RawClient } from "../client/raw.ts"
import { atRest, next, until } from "../client/until.ts"
import { as } from "../fixture.ts"

export const events = (serve: Serve): void => {
  const headers = as("alice")

  test("L2: each element is an event with an id, and what passes on the answer is told not to touch it", async () => {
    const app = await serve()
    app.script.events = {
      done: "[DONE]",
      retry: "2 seconds",
      headers: { "x-own": "1", "x-accel-buffering": "yes" },
    }
    const response = await app.request("/watch/a", { headers })
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": expect.stringMatching(/^text\/event-stream/) as string,
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "yes",
      "x-own": "1",
    })
    const [retry, ...all] = await allEvents(response)
    expect(retry).toEqual({ retry: "2000" })
    expect(data(all)).toEqual(['"one"', '"two"', '"three"', "[DONE]"])
    const ids = all.map((event) => /^([!-9;-~]+):(\d+)$/.exec(event["id"] ?? ""))
    expect(ids.map((id) => id?.[2])).toEqual(["1", "2", "3", undefined])
    expect(new Set(ids.slice(0, 3).map((id) => id?.[1])).size).toBe(1)
  })

  test("the client knows that the stream has begun before there is an element", async () => {
    const app = await serve()
    const { upTo } = gated(app, 1)
    const response = await app.request("/watch/a", { headers })
    expect(response.status).toBe(200)
    upTo(1)
    expect(data(await allEvents(response))).toEqual(["1"])
  })

  test("what says nothing is kept alive by comments, and still says what it has to say", async () => {
    const app = await serve()
    const { upTo } = gated(app, 1)
    app.script.events = { keepAlive: "1 second" }
    const stream = eventsOf(await app.request("/watch/a", { headers }))
    expect(await take(stream, 1)).toEqual([{ "": "keep-alive" }])
    upTo(1)
    expect(await take(stream, 1)).toEqual([{ id: expect.any(String) as string, data: "1" }])
    expect((await stream.next()).done).toBe(true)
  })

  test("L9: a stream that may not begin is refused with a status", async () => {
    const app = await serve({ policy: { whenBusy: "reject" } })
    const { upTo } = gated(app, 1)
    const running = await app.request("/watch/a", { headers })
    expect(await told(await app.request("/watch/a", { headers }))).toEqual([409, "SessionRefused", "Busy"])
    upTo(1)
    expect(data(await allEvents(running))).toEqual(["1"])
  })

  test("L10: a stream whose session cannot be opened is refused with a status", async () => {
    const app = await serve({ opening: () => Promise.reject(new Error("secret")) })
    expect(await told(await app.request("/watch/a", { headers }))).toEqual([
      503,
      "SessionOpenFailed",
      "Failed",
    ])
  })

  test("L17: an error of the application's is the last event, and goes to the log; the client is told no more", async () => {
    const app = await serve()
    const own = new Error("secret message of alice")
    app.script.elements = async function* () {
      yield 1
      throw own
    }
    const all = await allEvents(await app.request("/watch/a", { headers }))
    expect(all).toEqual([
      { id: expect.any(String) as string, data: "1" },
      { event: "error", data: '{"error":{"tag":"Error","reason":"Failed"}}' },
    ])
    await logged(app, 1)
    expect(app.errors).toEqual([own])
  })

  test("L17: an error of ours is the last event, and no error of the application's", async () => {
    const app = await serve()
    gated(app, 1)
    app.script.streamOptions = { timeout: 20 }
    const all = await allEvents(await app.request("/watch/a", { headers }))
    expect(all).toEqual([{ event: "error", data: '{"error":{"tag":"TaskStopped","reason":"Timeout"}}' }])
    await answer(app, "/counters/b", "alice")
    expect(app.errors).toEqual([])
  })

  test("L5: a resumable stream outlives its connection; who comes back loses and repeats nothing", async () => {
    const app = await serve()
    const { upTo, runs } = gated(app, 9)
    app.script.streamOptions = { resumable: true }
    app.script.events = { done: "end" }
    const ended = next(app.sessions, "TaskEnded")
    const seen: Array<WireEvent> = []
    const stream = eventsOf(await app.request("/events/a", { method: "POST", headers }))
    upTo(3)
    seen.push(...(await take(stream, 3)))
    await stream.return(undefined)
    upTo(5)
    for (const more of [2, 2]) {
      const again = eventsOf(
        await app.request("/events/a", {
          headers: { ...headers, "last-event-id": seen.at(-1)?.["id"] ?? "" },
        }),
      )
      seen.push(...(await take(again, more)))
      await again.return(undefined)
      upTo(9)
    }
    const last = { ...headers, "last-event-id": seen.at(-1)?.["id"] ?? "" }
    seen.push(...(await allEvents(await app.request("/events/a", { headers: last }))))
    expect(data(seen)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "end"])
    expect([(await ended).outcome, runs(), app.opened.length]).toEqual(["succeeded", 1, 1])
    // It has ended; for a while it can still be read again by who says where.
    expect(data(await allEvents(await app.request("/events/a", { headers: last })))).toEqual([
      "8",
      "9",
      "end",
    ])
    expect((await app.request("/events/a", { headers })).status).toBe(204)
  })

  test("a browser that comes back after a newer stream began is given its own, or nothing", async () => {
    const app = await serve()
    app.script.streamOptions = { resumable: true }
    const first = await allEvents(await app.request("/events/a", { method: "POST", headers }))
    await allEvents(await app.request("/events/a", { method: "POST", headers }))
    const back = (id: string): Promise<Response> =>
      app.request("/events/a", { headers: { ...headers, "last-event-id": id } })
    const rest = await allEvents(await back(first[1]?.["id"] ?? ""))
    expect(rest).toEqual([first[2]])
    expect((await back("unknown:1")).status).toBe(204)
  })

  test("L19: the id of another owner's stream finds nothing", async () => {
    const app = await serve()
    app.script.streamOptions = { resumable: true }
    const first = await allEvents(await app.request("/events/a", { method: "POST", headers }))
    const thief = { ...as("mallory"), "last-event-id": first[0]?.["id"] ?? "" }
    expect((await app.request("/events/a", { headers: thief })).status).toBe(204)
  })

  test("L16: what is no longer kept is told as ReplayGap, 410", async () => {
    const app = await serve()
    const { upTo } = gated(app, 10)
    app.script.streamOptions = { resumable: { items: 2 } }
    const stream = eventsOf(await app.request("/events/a", { method: "POST", headers }))
    const seen: Array<WireEvent> = []
    for (let number = 1; number <= 9; number++) {
      upTo(number)
      seen.push(...(await take(stream, 1)))
    }
    const gap = await app.request("/events/a", {
      headers: { ...headers, "last-event-id": seen[0]?.["id"] ?? "" },
    })
    expect(await told(gap)).toEqual([410, "SessionRefused", "ReplayGap"])
    upTo(10)
    expect(data(await take(stream, 1))).toEqual(["10"])
    expect((await stream.next()).done).toBe(true)
  })

  test("where nothing runs the answer is 204, at which a browser stops asking", async () => {
    const app = await serve()
    const response = await app.request("/events/a", { headers })
    expect([response.status, await response.text(), app.opened]).toEqual([204, "", []])
  })

  // Also where work may outlive its client: nobody is left to read a stream.
  const streams = ["/watch/a", "/body/a", "/outlive/watch/a", "/outlive/body/a"]
  test.each(streams)("L5: a client that leaves cancels the stream: %s", async (path) => {
    const app = await serve()
    const { upTo } = gated(app, 2)
    const ended = next(app.sessions, "TaskEnded")
    const client = new RawClient(app.url, path, { headers })
    upTo(1)
    const response = await client.response
    await once(response, "data")
    client.leave()
    expect((await ended).outcome).toBe("cancelled")
    await atRest(app.sessions)
    await answer(app, "/counters/b", "alice")
    expect(app.errors).toEqual([])
  })

  test("L5: a client that leaves before its stream has begun is not streamed to", async () => {
    const app = await serve()
    const { upTo, runs } = gated(app, 1)
    const running = await app.request("/watch/a", { headers })
    for (const path of streams) {
      const client = new RawClient(app.url, path, { headers })
      await until(() => app.sessions.snapshot().counts.queued === 1)
      client.leave()
      await until(() => app.sessions.snapshot().counts.queued === 0)
    }
    upTo(1)
    expect(data(await allEvents(running))).toEqual(["1"])
    await answer(app, "/counters/a", "alice")
    expect([runs(), app.errors]).toEqual([1, []])
  })

  test.each(["/watch/a", "/body/a"])("L5: a client that reads slowly sets the pace: %s", async (path) => {
    const app = await serve()
    const [count, size] = [400, 256 * 1024]
    let made = 0
    app.script.elements = async function* () {
      const block = "x".repeat(size)
      for (; made < count; made++) yield block
    }
    const client = new RawClient(app.url, path, { headers })
    const response = await client.response
    response.pause()
    // While others are answered, a source that nobody holds back runs to its end.
    for (let n = 0; n < 100; n++) await answer(app, "/counters/b", "alice")
    // A hundred megabytes are to come; what the kernel and the sockets hold is a few.
    expect(made).toBeGreaterThan(0)
    expect(made).toBeLessThan(count / 2)
    // And it is all there for who reads on.
    let bytes = 0
    for await (const chunk of response) bytes += (chunk as Buffer).length
    expect(bytes).toBeGreaterThanOrEqual(count * size)
    await atRest(app.sessions)
    expect(made).toBe(count)
  })

  test.each(["/watch/a", "/body/a"])("an answer without a body runs nothing on: HEAD %s", async (path) => {
    const app = await serve()
    let made = 0
    app.script.elements = async function* () {
      // Not for ever: a host that runs on would otherwise never let this test fail.
      while (made < 100_000) yield made++
    }
    const { status, body } = await raw(app.url, path, { method: "HEAD", headers })
    expect([status, body]).toEqual([200, ""])
    await atRest(app.sessions)
    expect(made).toBeLessThan(100)
    expect(app.errors).toEqual([])
  })
}

/** The host's log is told once the answer is complete: while others are answered. */
const logged = async (app: App, count: number): Promise<void> => {
  for (let n = 0; n < 20 && app.errors.length < count; n++) await answer(app, "/counters/log", "alice")
}

const data = (all: ReadonlyArray<WireEvent>): ReadonlyArray<string | undefined> =>
  all.map((event) => event["data"])

/** Numbers from 1, each when it is let go; until the stream is told to stop. */
const gated = (app: App, count: number) => {
  const gates = Array.from({ length: count }, () => Promise.withResolvers<void>())
  let runs = 0
  app.script.elements = async function* (_counter, { signal }) {
    runs++
    const stopped = once(signal, "abort").then(() => Promise.reject(new Error("stopped")))
    stopped.catch(() => {})
    for (const [index, gate] of gates.entries()) {
      await Promise.race([gate.promise, stopped])
      yield index + 1
    }
  }
  return {
    runs: () => runs,
    upTo: (number: number): void => {
      for (const gate of gates.slice(0, number)) gate.resolve()
    },
  }
}
