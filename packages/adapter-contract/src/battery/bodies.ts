/** Streams as they are: texts, bytes, lines of JSON. */
import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import type { Serve } from "../App.ts"
import { answer } from "../client/answer.ts"
import { told } from "../client/told.ts"
import { RawClient } from "../client/raw.ts"
import { atRest } from "../client/until.ts"
import { as } from "../fixture.ts"

export const bodies = (serve: Serve): void => {
  const headers = as("alice")

  test.each([
    ["texts", yields("über ", "🦊", "", "!"), "text/plain; charset=utf-8", "über 🦊!"],
    ["lines of JSON", yields({ n: 1 }, [2], null, "3"), "application/x-ndjson", '{"n":1}\n[2]\nnull\n"3"\n'],
    ["nothing", yields(), "text/plain; charset=utf-8", ""],
  ])("%s", async (_name, elements, type, text) => {
    const app = await serve()
    app.script.elements = elements
    const response = await app.request("/body/a", { headers })
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type])
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform")
    expect(await response.text()).toBe(text)
  })

  test("bytes, all of them, in order", async () => {
    const app = await serve()
    const [sent, received] = [createHash("sha256"), createHash("sha256")]
    app.script.elements = async function* () {
      for (let n = 0; n < 500; n++) {
        const bytes = new Uint8Array(1 + ((n * 7919) % 40_000)).map((_, index) => (index * n) % 251)
        sent.update(bytes)
        yield bytes
      }
    }
    const response = await app.request("/body/a", { headers })
    expect(response.headers.get("content-type")).toBe("application/octet-stream")
    for await (const chunk of response.body ?? []) received.update(chunk)
    expect(received.digest("hex")).toBe(sent.digest("hex"))
  })

  test("an encoding and headers of one's own", async () => {
    const app = await serve()
    app.script.body = {
      encode: (element) => `<${String(element)}>`,
      headers: { "content-type": "text/x-own", "content-disposition": "attachment" },
    }
    const response = await app.request("/body/a", { headers })
    expect(response.headers.get("content-type")).toMatch(/^text\/x-own/)
    expect(response.headers.get("content-disposition")).toBe("attachment")
    expect(await response.text()).toBe("<one><two><three>")
  })

  test("L17: what fails before the first element is a status", async () => {
    const app = await serve()
    const own = new Error("secret")
    app.script.elements = async function* () {
      yield* []
      throw own
    }
    const response = await app.request("/body/a", { headers })
    expect([response.status, await response.text()]).toEqual([500, "the application's own answer"])
    expect(app.errors).toEqual([own])
    app.script.streamOptions = { timeout: 20 }
    app.script.elements = async function* (_counter, { signal }) {
      yield* []
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
    }
    expect(await told(await app.request("/body/a", { headers }))).toEqual([504, "TaskStopped", "Timeout"])
    expect(app.errors).toEqual([own])
  })

  test("L17: what fails later breaks the answer off, tells the client nothing, and goes to the log", async () => {
    const app = await serve()
    const go = Promise.withResolvers<void>()
    const own = new Error("secret message")
    app.script.elements = async function* () {
      yield "first"
      await go.promise
      throw own
    }
    const client = new RawClient(app.url, "/body/a", { headers })
    const response = await client.response
    expect(response.statusCode).toBe(200)
    let text = ""
    const read = async (): Promise<void> => {
      for await (const chunk of response) {
        text += String(chunk)
        go.resolve()
      }
    }
    await expect(read()).rejects.toMatchObject({ code: "ECONNRESET" })
    expect(text).toBe("first")
    await atRest(app.sessions)
    for (let n = 0; n < 20 && app.errors.length === 0; n++) await answer(app, "/counters/b", "alice")
    expect(app.errors).toEqual([own])
  })
}

const yields = (...elements: ReadonlyArray<unknown>) =>
  async function* () {
    yield* elements
  }
