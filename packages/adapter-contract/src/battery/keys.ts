/** Whose session it is comes from a client, and clients send anything. */
import { expect, test } from "vitest"
import type { App, Serve } from "../App.ts"
import { answer } from "../client/answer.ts"
import { told } from "../client/told.ts"
import { raw } from "../client/raw.ts"
import { as } from "../fixture.ts"

export const keys = (serve: Serve): void => {
  test("L17: who is nobody is told 401, and nothing is opened", async () => {
    const app = await serve()
    for (const headers of [
      {},
      { authorization: "" },
      { authorization: "Bearer " },
      { authorization: "Basic YQ==" },
    ])
      for (const path of ["/counters/a", "/mine", "/keys/a", "/watch/a", "/body/a"])
        expect(await told(await app.request(path, { headers }))).toEqual([401, "SessionMisuse", "InvalidKey"])
    expect([app.opened, app.errors]).toEqual([[], []])
  })

  test("L17: a request that does not say which session is told 400, and nothing is opened", async () => {
    const app = await serve()
    for (const query of ["", "?", "?id", "?id=", "?other=a", `?id=${"x".repeat(508)}`, "?id%5Bx%5D="])
      expect(await told(await app.request(`/found${query}`, { headers: as("alice") }))).toEqual([
        400,
        "SessionMisuse",
        "InvalidKey",
      ])
    expect([app.opened, app.errors]).toEqual([[], []])
  })

  test("L19: an id may be any text, and comes back as it was sent", async () => {
    const app = await serve()
    for (const id of texts) {
      expect(await answer(app, `/found?id=${encodeURIComponent(id)}`, "alice")).toMatchObject({
        owner: "alice",
        id,
        turns: 1,
      })
    }
    expect(new Set(app.opened).size).toBe(texts.length)
  })

  test("L19: an id in the path may be any text; where a host refuses it, that is a 4xx", async () => {
    const app = await serve()
    const answers = await Promise.all(
      texts.map(async (id) => ({
        id,
        ...(await raw(app.url, `/counters/${encodeURIComponent(id)}`, { headers: as("alice") })),
      })),
    )
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    const served = answers.filter(({ status, body }) => status === 200 && body.startsWith("{"))
    for (const { id, body } of served) expect(JSON.parse(body)).toEqual({ owner: "alice", id, turns: 1 })
    expect(served.map(({ id }) => id)).toEqual(
      expect.arrayContaining(["日本語", "a/b", "__proto__", "a\u0000b", "%41", "a b"]),
    )
  })

  test("L19: paths and queries that are no text at all give a status below 500, and never another's session", async () => {
    const app = await serve()
    await answer(app, "/counters/a", "alice")
    for (const path of malformed) {
      const { status, body } = await raw(app.url, path, { headers: as("mallory") })
      expect([path, status < 500]).toEqual([path, true])
      expect(body).not.toContain("alice")
    }
    for (const one of app.opened.slice(1)) expect(one).toMatch(/^mallory\//)
    expect(app.errors.filter((error) => !isBadRequest(error))).toEqual([])
    expect(await answer(app, "/counters/a", "alice")).toMatchObject({ turns: 2 })
  })

  test("L19: an owner's name may be any text, and is not the name of another", async () => {
    const app = await serve()
    const names = texts.filter((name) => name.length < 500)
    for (const name of names)
      expect(await answer(app, "/counters/a", name)).toEqual({ owner: name, id: "a", turns: 1 })
    expect(new Set(app.opened).size).toBe(names.length)
  })

  test("a Last-Event-ID of any kind finds nothing that does not run", async () => {
    const app = await serve()
    for (const header of [
      "",
      "1",
      "-1",
      "t1:1",
      "t1:-1",
      "a:b:c",
      ":",
      "9".repeat(400),
      "\u00e9:1",
      "__proto__:1",
    ]) {
      const { status } = await raw(app.url, "/events/a", {
        headers: { ...as("alice"), "last-event-id": header },
      })
      expect([header, status]).toEqual([header, 204])
    }
    await nothingOpened(app)
  })
}

const nothingOpened = async (app: App): Promise<void> => {
  expect(app.opened).toEqual([])
  expect(app.sessions.snapshot().sessions).toEqual([])
}

/** What a host itself says of a URL that it cannot decode. */
const isBadRequest = (error: unknown): boolean =>
  error instanceof Error &&
  (("status" in error && error.status === 400) || ("statusCode" in error && error.statusCode === 400))

const texts = [
  "日本語",
  "🦊",
  "a/b",
  "a//b",
  "..",
  ".",
  "../../etc/passwd",
  "a\\b",
  "~",
  "~0",
  "a~b",
  "a b",
  " ",
  "+",
  "a+b",
  "a&b=c",
  "a?b#c",
  "%",
  "%41",
  "%2541",
  "a\u0000b",
  "\u0000",
  "a\r\nSet-Cookie: x=1",
  "\u202e",
  "e\u0301",
  "\u00e9",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "undefined",
  "null",
  "[object Object]",
  "CON",
  "Con",
  "con",
  "<script>",
  "' or 1=1 --",
  "${x}",
  ":id",
  "*",
  "x".repeat(500),
]

const malformed = [
  "/counters/%E0%A4%A",
  "/counters/%",
  "/counters/%zz",
  "/counters/%C0%AE%C0%AE",
  "/counters/%ED%A0%80",
  "/counters/%FF",
  "/counters/%00",
  "/counters/a%2F..%2Fb",
  "/counters/../mine",
  "/counters/%2e%2e/mine",
  "/counters//",
  "/counters/",
  "/counters/a/b",
  "/counters/a;id=b",
  `/counters/${"x".repeat(600)}`,
  `/counters/${"x".repeat(6000)}`,
  `/counters/${"%F0%9F%A6%8A".repeat(300)}`,
  "/files/",
  "/files/a/../../../mine",
  "/files/%2e%2e/%2e%2e",
  "/files/%E0%A4%A/b",
  "/files//a",
  "/found?id=a&id=b",
  "/found?id[]=a&id[]=b",
  "/found?id[x]=y",
  "/found?id[__proto__]=x",
  "/found?id[constructor][prototype]=x",
  "/found?__proto__[id]=a",
  "/found?__proto__=a",
  "/found?id=%E0%A4%A",
  "/found?id=%",
  "/found?id=%FF",
  "/found?id=%00",
  "/found?=a",
  "/found?&&&",
  `/found?id=${"x".repeat(6000)}`,
  `/found?${"id=a&".repeat(1500)}`,
  `/found?id${"[x]".repeat(200)}=a`,
]
