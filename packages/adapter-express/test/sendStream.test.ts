import { SessionRefused, type Task } from "@sojourn/core"
import type { ErrorRequestHandler, Response as Answer } from "express"
import { once } from "node:events"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { ReadableStream } from "node:stream/web"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test, vi } from "vitest"
import { fromRequest, route, sendStream, sessionErrors, type SendStreamOptions } from "../src/index.ts"
import { counters, listen, next, open, soon } from "./support.ts"
import { versions } from "./versions.ts"

describe.each(versions)("$name: sendStream", ({ express }) => {
  /** `GET /` answers with what `make` yields. */
  const serve = async <A>(
    make: (counter: unknown, task: Task) => AsyncIterable<A>,
    options?: SendStreamOptions<A>,
    prepare: (res: Answer) => unknown = () => {},
  ) => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const passedOn: Array<unknown> = []
    const app = express()
      .get(
        "/",
        route(async (req, res) => {
          prepare(res)
          await sendStream(res, counter(req, res).stream(make), options)
        }),
      )
      .use(sessionErrors())
      .use(((error, _req, res, _next) => {
        passedOn.push(error)
        if (!res.headersSent) res.status(599).end()
      }) satisfies ErrorRequestHandler)
    return { sessions, passedOn, url: await listen(app) }
  }
  const each = async function* <A>(...elements: ReadonlyArray<A>) {
    yield* elements
  }
  const failing = (error: Error) => new ReadableStream<string>({ start: (stream) => stream.error(error) })
  const told = async (response: Response) => [
    response.headers.get("content-type"),
    Buffer.from(await response.arrayBuffer()),
  ]

  test("texts are sent as they are, and nothing on the way holds them back", async () => {
    const { url } = await serve(() => each("", "a", "\u00fc\n", "", "b"))
    const response = await fetch(url)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    })
    expect(await told(response)).toEqual(["text/plain; charset=utf-8", Buffer.from("a\u00fc\nb")])
  })

  test("bytes are sent as they are", async () => {
    const { url } = await serve(() => each(Uint8Array.of(0, 255), Buffer.from([1]), new Uint8Array()))
    expect(await told(await fetch(url))).toEqual(["application/octet-stream", Buffer.from([0, 255, 1])])
  })

  test("anything else is a line of JSON for each", async () => {
    const { url } = await serve(() => each<unknown>({ n: 1 }, [2], 3, null, undefined, "text\n"))
    expect(await told(await fetch(url))).toEqual([
      "application/x-ndjson",
      Buffer.from('{"n":1}\n[2]\n3\nnull\nnull\n"text\\n"\n'),
    ])
  })

  test("encode says how, once for each, and headers what it is", async () => {
    const seen: Array<number> = []
    const options: SendStreamOptions<number> = {
      encode: (n) => {
        seen.push(n)
        return `${n};`
      },
      headers: { "Content-Type": "text/csv", "cache-control": "private" },
    }
    const { url } = await serve(
      () => each(1, 2, 3),
      options,
      (res) => res.type("html"),
    )
    const response = await fetch(url)
    expect(response.headers.get("cache-control")).toBe("private")
    expect(await told(response)).toEqual(["text/csv", Buffer.from("1;2;3;")])
    expect(seen).toEqual([1, 2, 3])
  })

  test("a content type that the answer has already is kept", async () => {
    const { url } = await serve(
      () => each("a;b\n"),
      {},
      (res) => res.attachment("all.csv").status(203),
    )
    const response = await fetch(url)
    expect(response.status).toBe(203)
    expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="?all\.csv"?$/)
    expect(await told(response)).toEqual(["text/csv; charset=utf-8", Buffer.from("a;b\n")])
  })

  test("nothing at all is an empty answer", async () => {
    const { url } = await serve(() => each())
    const response = await fetch(url)
    expect([response.status, await response.text()]).toEqual([200, ""])
  })

  test("an element arrives before the next one is made", async () => {
    const go = Promise.withResolvers<void>()
    const { url } = await serve(async function* () {
      yield "first"
      await go.promise
      yield "second"
    })
    const response = await open(url)
    expect(String((await soon(once(response, "data"), "the first element"))[0])).toBe("first")
    go.resolve()
    expect(String((await once(response, "data"))[0])).toBe("second")
  })

  test("L5: a Web stream is read as any other, and cancelled when its reader has gone", async () => {
    const whole = await serve(() => ReadableStream.from(["a", "b"]))
    expect(await (await fetch(whole.url)).text()).toBe("ab")

    const cancelled = Promise.withResolvers<void>()
    const endless = await serve(
      () =>
        new ReadableStream<Uint8Array>({
          pull: async (controller) => {
            await sleep(1)
            controller.enqueue(Uint8Array.of(1))
          },
          cancel: () => cancelled.resolve(),
        }),
    )
    const response = await open(endless.url)
    await once(response, "data")
    const ended = next(endless.sessions, "TaskEnded")
    response.destroy()
    await soon(cancelled.promise, "the cancelling")
    expect((await ended).outcome).toBe("cancelled")
    expect(endless.passedOn).toEqual([])
  })

  test("L5: a slow client sets the pace", async () => {
    let made = 0
    const { url, sessions, passedOn } = await serve(async function* () {
      const block = Buffer.alloc(256 * 1024)
      for (; made < 400; made++) yield block
    })
    const client = httpRequest(url).end()
    const [response] = (await once(client, "response")) as [IncomingMessage]
    response.pause()
    await vi.waitFor(async () => {
      const before = made
      await sleep(100)
      expect(made).toBe(before)
    })
    // A hundred megabytes are to come; what the kernel and the socket hold is a few.
    expect(made).toBeGreaterThan(0)
    expect(made).toBeLessThan(200)
    client.destroy()
    await vi.waitFor(() => expect(sessions.explain({ owner: "alice" }).alive).toEqual([]))
    expect(passedOn).toEqual([])
  })

  test("what a slow client takes late is whole", async () => {
    const block = "0123456789".repeat(10_000)
    const { url } = await serve(() => each(...Array.from({ length: 100 }, (_, n) => `${n}${block}`)))
    const response = await open(url)
    let length = 0
    for await (const chunk of response) {
      length += (chunk as Buffer).length
      if (length < 3_000_000) await sleep(1)
    }
    expect(length).toBe(100 * 100_000 + 10 + 90 * 2)
  })

  test("L17: what fails before the first element is a status", async () => {
    const own = await serve(() => failing(new Error("mine")))
    expect((await fetch(own.url)).status).toBe(599)
    expect(own.passedOn).toEqual([expect.objectContaining({ message: "mine" })])
    const encode = await serve(() => each(1n))
    expect((await fetch(encode.url)).status).toBe(599)
    const ours = await serve(() => failing(new SessionRefused({ reason: "Busy" })))
    const response = await fetch(ours.url)
    expect(response.status).toBe(409)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    })
    expect(response.headers.has("x-accel-buffering")).toBe(false)
  })

  test("L9: what keeps the turn from beginning is a status", async () => {
    const { url, sessions } = await serve(() => each("a"))
    await sessions.drain()
    expect((await fetch(url)).status).toBe(503)
  })

  test("L5: what fails later breaks the answer off: the client has an error, not an end", async () => {
    const mine = new Error("mine")
    const own = await serve(async function* () {
      yield "a part"
      await sleep(1)
      throw mine
    })
    const response = await open(own.url)
    const body = async () => {
      let text = ""
      for await (const chunk of response) text += String(chunk)
      return text
    }
    await expect(soon(body(), "the answer's end")).rejects.toMatchObject({ code: "ECONNRESET" })
    // It is for the application's log all the same.
    await vi.waitFor(() => expect(own.passedOn).toEqual([mine]))

    const timeless = await serve(() => each<unknown>("a part", 1n), {})
    const ended = next(timeless.sessions, "TaskEnded")
    await expect(fetch(timeless.url).then((one) => one.text())).rejects.toThrow("terminated")
    await vi.waitFor(() => expect(timeless.passedOn).toEqual([expect.any(TypeError)]))
    await soon(ended, "the turn's end")
  })

  test("L5: a failed element leaves no turn behind that is bound to nothing", async () => {
    const { sessions } = counters()
    const app = express()
      .get(
        "/",
        route((_req, res) =>
          sendStream(
            res,
            sessions.stream("a", async function* () {
              for (let n = 0; ; n++) yield n
            }),
            {
              encode: (n) => {
                if (n === 2) throw new Error("no such number")
                return `${n}`
              },
            },
          ),
        ),
      )
      .use(((_error, _req, _res, _next) => {}) satisfies ErrorRequestHandler)
    const ended = next(sessions, "TaskEnded")
    await expect(fetch(await listen(app)).then((one) => one.text())).rejects.toThrow("terminated")
    expect((await soon(ended, "the turn's end")).outcome).toBe("cancelled")
  })

  test("L5: HEAD is told the headers, and runs no stream that nobody reads", async () => {
    const { url, sessions } = await serve(async function* () {
      for (;;) yield "a"
    })
    const ended = next(sessions, "TaskEnded")
    const response = await soon(fetch(url, { method: "HEAD" }), "the answer to HEAD")
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/plain; charset=utf-8",
    ])
    expect((await soon(ended, "the turn's end")).outcome).toBe("cancelled")
  })

  test("L5: a client that goes away before the first element cancels the stream", async () => {
    const { url, sessions, passedOn } = await serve(async function* (_counter, { signal }) {
      await sleep(60_000, undefined, { signal })
      yield "late"
    })
    const started = next(sessions, "TaskStarted")
    const ended = next(sessions, "TaskEnded")
    const leaving = new AbortController()
    const left = fetch(url, { signal: leaving.signal })
    await started
    leaving.abort()
    await expect(left).rejects.toThrow("aborted")
    expect((await ended).outcome).toBe("cancelled")
    expect(passedOn).toEqual([])
  })

  test("L5: an answer that another has completed meanwhile is left alone", async () => {
    const { sessions } = counters()
    const over = Promise.withResolvers<unknown>()
    const app = express().get("/", (_req, res) => {
      sendStream(
        res,
        sessions.stream("a", async function* (_counter, { signal }) {
          await sleep(60_000, undefined, { signal })
          yield "late"
        }),
      ).then(over.resolve, over.reject)
      res.status(503).send("too late")
    })
    const ended = next(sessions, "TaskEnded")
    const response = await fetch(await listen(app))
    expect([response.status, await response.text()]).toEqual([503, "too late"])
    await soon(over.promise, "sendStream")
    expect((await ended).outcome).toBe("cancelled")
  })

  test("L17, L5: a misspelt option is an InvalidOption, and no turn runs on for it", async () => {
    const { url, sessions } = await serve(
      async function* () {
        for (;;) {
          await sleep(1)
          yield "a"
        }
      },
      { encoding: "utf8" } as never,
    )
    const ended = next(sessions, "TaskEnded")
    expect((await fetch(url)).status).toBe(500)
    expect((await soon(ended, "the turn's end")).outcome).toBe("cancelled")
  })
})
