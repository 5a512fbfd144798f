/** Names, ids, notes and errors of others are anything at all, and no key leaves the process unless the host shows it. */
import { describe, expect, it } from "vitest"
import { cleaned, errorText, withoutKey } from "../src/safety/text.ts"
import { refOfKey } from "../src/names/refOfKey.ts"
import { ask, decode, hanging, post, rooms, serve, stream, first } from "./support.ts"

const nasty = [
  "<img src=x onerror=alert(1)></script>",
  "\u001b[31mred\u001b[0m\u0007\b",
  "\u202Egnp.exe\u2066\u2069",
  "\uD800 lone \uDFFF",
  "__proto__",
  "constructor",
  "line\nbreak\r\n\u2028\u2029",
  "\0nul",
  "tab\tbed",
  "a".repeat(250),
]
// oxlint-disable-next-line no-control-regex
const steering = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

describe("texts of others", () => {
  it.each(nasty)("%j is harmless as owner, id, task name, note and error", async (text) => {
    const a = rooms()
    const hang = hanging()
    const key = { owner: text, id: text }
    await a.run(key, () => Promise.reject(new Error(text))).catch(() => {})
    const work = a.run(
      key,
      async (_, { progress }) => {
        progress(text.slice(0, 200))
        await hang.work()
      },
      { name: text.slice(0, 128) },
    )
    await hang.began
    const { url } = await serve({ sessions: [a], show: () => text })
    const [row] = (await ask(`${url}/sessions`, "sessions")).sessions.rows
    const [task] = (await ask(`${url}/tasks`, "tasks")).tasks.rows
    const answers = [
      row,
      task,
      await ask(`${url}/sessions/${a.name}/${row.hash}`, "session"),
      await ask(`${url}/tasks/${a.name}/${task.id}`, "task"),
      await ask(`${url}/tasks?ended=true`, "tasks"),
      await ask(`${url}/snapshot?view=overview,sessions,warnings`, "snapshot"),
    ]
    expect(row.shown.length).toBeLessThanOrEqual(256)
    expect(row.error.text.length).toBeLessThanOrEqual(1000)
    for (const answer of answers) {
      const texts: Array<string> = []
      JSON.stringify(answer, (_, value: unknown) => {
        if (typeof value === "string") texts.push(value)
        return value
      })
      for (const one of texts) {
        expect(one).not.toMatch(steering)
        expect(one.isWellFormed()).toBe(true)
      }
    }
    hang.end()
    await work
  })

  it("megabytes are cut before they are looked at", async () => {
    const a = rooms()
    const huge = "€\u0000".repeat(2_000_000)
    await a.run("x", () => Promise.reject(new Error(huge))).catch(() => {})
    const { url } = await serve({ sessions: [a] })
    const response = await fetch(`${url}/sessions`)
    expect((await response.text()).length).toBeLessThan(5000)
  })

  it.each<[string, unknown]>([
    [
      "a throwing message",
      Object.defineProperty(new Error(), "message", {
        get: () => {
          throw new Error("x")
        },
      }),
    ],
    ["a symbol", Symbol("s")],
    ["null", null],
    ["undefined", undefined],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("x")
          },
          has: () => {
            throw new Error("x")
          },
        },
      ),
    ],
    ["no prototype", Object.create(null)],
    ["a message that is no text", { message: { toString: () => "x" } }],
  ])("an error that is %s has words too", async (_, error) => {
    expect(errorText(error)).toBeTypeOf("string")
    const a = rooms()
    await a.run("x", () => Promise.reject(error)).catch(() => {})
    const { url } = await serve({ sessions: [a] })
    await expect(ask(`${url}/sessions`, "sessions")).resolves.toBeDefined()
  })

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no")
      },
    ],
    ["gives a number", () => 1],
    ["gives a promise that rejects", () => Promise.reject(new Error("no"))],
    ["gives nothing", () => undefined],
  ])("a `show` that %s shows nothing", async (_, show) => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a], show: show as () => string })
    const [row] = (await ask(`${url}/sessions?text=x`, "sessions")).sessions.rows
    expect(row).toBeUndefined()
    expect((await ask(`${url}/sessions`, "sessions")).sessions.rows[0]).not.toHaveProperty("shown")
  })

  it("cleaned: bounded, well-formed, of one line", () => {
    expect(cleaned("a\r\n\tb", 10)).toBe("a b")
    expect(cleaned("x".repeat(20), 10)).toBe(`${"x".repeat(9)}…`)
    expect(cleaned("12345678\u{1F600}", 10)).toBe("12345678\u{1F600}")
    expect(cleaned("12345678\u{1F600}!", 10).isWellFormed()).toBe(true)
    expect(cleaned(undefined, 10)).toBe("")
  })
})

describe("keys stay in the process", () => {
  const secret = "Secret-Owner@example.org"
  const id = "Thread No 17"

  it("no answer has a key, an owner or an id without `show`", async () => {
    const a = rooms({
      open: ((session: { key: string; id: string; owner: string }) => ({ key: session.key })) as never,
    })
    const key = { owner: secret, id }
    const hang = hanging()
    await a
      .run(key, (_, task) => Promise.reject(new Error(`cannot find ${task.session.key} of ${secret}: ${id}`)))
      .catch(() => {})
    const work = a.run(
      key,
      async (_, { progress }) => {
        progress(`reading ${id} for ${secret}`)
        await hang.work()
      },
      { name: "read" },
    )
    const named = a.run(key, () => 1, { name: `for ${secret}` })
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const live = await stream(url, "view=events,sessions&everyMs=250")
    const [row] = (await ask(`${url}/sessions`, "sessions")).sessions.rows
    const acted = await post(url, { action: "cancelTasks", filter: { name: ["nobody"] }, expected: 5 })
    expect(acted.status).toBe(200)
    await post(url, { action: "pin", kind: a.name, hash: row.hash })
    const texts = await Promise.all(
      [
        "/overview",
        `/kinds/${a.name}`,
        "/sessions",
        "/sessions?text=Secret-Owner",
        `/sessions/${a.name}/${row.hash}`,
        "/tasks",
        "/tasks/" + a.name + "/t2",
        "/tasks?ended=true",
        "/warnings",
        "/events",
        "/actions",
        "/about",
        "/openapi.json",
        `/snapshot?view=session,tasks&of=${a.name}/${row.hash}`,
      ].map(async (path) => (await fetch(url + path)).text()),
    )
    hang.end()
    await work
    await a.run(key, () => Promise.reject(new Error(`lost ${secret}`))).catch(() => {})
    await named
    texts.push(JSON.stringify(await first(live.frames)))
    for (;;) {
      const { frame } = await first(live.frames)
      texts.push(JSON.stringify(frame))
      if (frame.delta.events?.some((event: { what: string; error?: string }) => event.error !== undefined))
        break
    }
    for (const text of texts) {
      expect(text).not.toContain("Secret-Owner")
      expect(text).not.toContain("example.org")
      expect(text).not.toContain("Thread No 17")
      expect(text).not.toContain("=53ecret")
    }
  })

  it("a filter by text tells nothing of what is not shown", async () => {
    const a = rooms()
    await a.run("abcdef-private", () => 1)
    const { url } = await serve({ sessions: [a] })
    expect((await ask(`${url}/sessions?text=private`, "sessions")).sessions.total).toBe(0)
  })

  it("withoutKey takes out the key and its parts, and leaves words that only look like a short one", () => {
    const { id: part, key, owner } = refOfKey("k", "an~x")
    expect([part, owner]).toEqual(["x", "an"])
    expect(withoutKey("an animal exits; owner=an, id: x", { id: part, key, owner })).toBe(
      "‹key› animal exits; owner=‹key›, id: ‹key›",
    )
    const long = { key: "c3f1~chat-9000", id: "chat-9000", owner: "c3f1" }
    expect(withoutKey("c3f1~chat-9000 xchat-9000x C3F1", long)).toBe("‹key› x‹key›x C3F1")
  })

  it("a key's parts are read back from its canonical text", () => {
    for (const [owner, part] of [
      ["Ada", "One two/3"],
      ["ümlaut~", "=x"],
      ["\uD800", "con"],
    ] as const)
      expect(refOfKey("k", refKey({ owner, id: part }))).toMatchObject({ owner, id: part })
    expect(refOfKey("k", refKey({ owner: "Me" }))).toMatchObject({ owner: "Me", id: "Me" })
    expect(refOfKey("k", refKey("Plain Text"))).toMatchObject({ owner: undefined, id: "Plain Text" })
  })
})

const keys = rooms
const refKey = (key: Parameters<ReturnType<typeof rooms>["explain"]>[0]): string =>
  keys().explain(key).session.key

it("what is decoded here is held against every field", () => {
  expect(() => decode("overview", { protocolVersion: 1, snapshot: 1, at: 1, kinds: [], key: "x" })).toThrow(
    "key",
  )
})
