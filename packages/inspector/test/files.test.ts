/** Profiles and recordings: who may have them, and that they are what they say. */
import { describe, expect, it, onTestFinished } from "vitest"
import { connectInspector } from "../src/client.ts"
import { readRecording } from "../src/recording/readRecording.ts"
import { ask, decode, post, refusal, rooms, serve } from "./support.ts"

const textOf = async (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text()
const profile = (url: string, body: object) =>
  fetch(`${url}/profile`, {
    method: "POST",
    headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
    body: JSON.stringify(body),
  })
const burn = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

describe("profiles", () => {
  it("whose code runs", async () => {
    const a = rooms()
    const { url } = await serve({ sessions: [a] })
    const running = setInterval(() => void a.run({ owner: "Zebulon" }, () => burn(20), { name: "burn" }), 50)
    onTestFinished(() => clearInterval(running))
    const response = await profile(url, { profile: "attribution", forMs: 500 })
    const text = await response.text()
    const { attribution } = decode("profile", JSON.parse(text))
    expect(attribution.rows[0]).toMatchObject({ kind: a.name, task: "burn", what: "turn" })
    expect(text).not.toContain("Zebulon")
    expect((await ask(`${url}/actions`, "actions")).records).toMatchObject([
      { action: "profile", state: "ended" },
    ])
  })

  it("of the processor, as a file", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const response = await profile(url, { profile: "cpu", forMs: 100 })
    expect(response.headers.get("content-disposition")).toMatch(
      /^attachment; filename="sojourn-[\w-]+\.cpuprofile"$/,
    )
    expect(Object.keys((await response.json()) as object)).toEqual(
      expect.arrayContaining(["nodes", "samples"]),
    )
  })

  it("of the heap, as a file that is read as it comes; one at a time", { timeout: 120_000 }, async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const stream = await connectInspector(url).profile({ profile: "heap", force: true })
    const second = await refusal(await profile(url, { profile: "cpu", forMs: 10 }))
    expect([second.answered, second.code]).toEqual([409, "not-possible"])
    expect((await textOf(stream)).slice(0, 12)).toBe('{"snapshot":')
    // One that is left makes room.
    const left = await connectInspector(url).profile({ profile: "heap", force: true })
    await left.cancel()
    await expect
      .poll(async () => (await profile(url, { profile: "cpu", forMs: 10 })).status, { timeout: 20_000 })
      .toBe(200)
  })

  it("are for who may act, asked by POST from the same origin", async () => {
    const { url } = await serve({ sessions: [rooms()], authorize: () => "view" })
    expect((await profile(url, { profile: "cpu" })).status).toBe(403)
    const { url: open } = await serve({ sessions: [rooms()] })
    expect((await fetch(`${open}/profile`)).status).toBe(405)
    expect((await profile(open, { profile: "cpu", forMs: 900_000 })).status).toBe(400)
    expect((await profile(open, { profile: "shell" })).status).toBe(400)
    const cross = await fetch(`${open}/profile`, {
      method: "POST",
      headers: { "content-type": "application/json", "sec-fetch-site": "cross-site" },
      body: '{"profile":"cpu","forMs":10}',
    })
    expect(cross.status).toBe(403)
  })
})

describe("a recording", () => {
  it("begins when it is started, has no key, and can be read again", async () => {
    const a = rooms()
    const { url } = await serve({ sessions: [a] })
    const client = connectInspector(url)
    await expect(client.recording()).rejects.toMatchObject({ code: "not-possible" })
    expect(await client.act({ action: "startRecording" })).toMatchObject({ state: "ended", affected: 1 })
    expect(await client.act({ action: "startRecording" })).toMatchObject({ state: "nothing" })
    await a.run({ owner: "Zebulon", id: "q7x" }, () => 1, { name: "say" })
    const state = (await client.about()).recording
    expect(state.on && state.lines > 0).toBe(true)
    const lines: Array<unknown> = []
    for await (const line of readRecording(await client.recording())) lines.push(line)
    const text = JSON.stringify(lines)
    expect(text).toContain('"Opened"')
    expect(text).not.toMatch(/Zebulon|q7x/)
    const response = await fetch(`${url}/recording?lastMs=1000`)
    expect(response.headers.get("content-type")).toBe("application/gzip")
    expect(new Uint8Array(await response.arrayBuffer()).slice(0, 2)).toEqual(new Uint8Array([0x1f, 0x8b]))
    await post(url, { action: "stopRecording" })
    expect((await client.about()).recording).toEqual({ on: false, lines: 0, size: 0 })
  })
})
