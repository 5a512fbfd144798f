import { createHash } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createSessions } from "../src/index.ts"
import { keyHash } from "../src/keyHash.ts"
import type { SessionKey, SessionRef } from "../src/SessionKey.ts"

const form = /^[0-9a-f]{16}$/

describe("keyHash", () => {
  test("is the same in every process, on every machine, in every version", () => {
    expect([
      keyHash("alice"),
      keyHash({ owner: "alice" }),
      keyHash({ owner: "alice", id: "chat 7" }),
    ]).toEqual(["3711fe13b8bef917", "eedf05d497943b9c", "373d691a6fba6b56"])
  })

  test("forms of one key have one hash: as given, as a session's ref, as a live session has it", async () => {
    const sessions = createSessions({ name: "hashed", open: ({ key }) => key })
    for (const key of [
      "alice",
      { owner: "Alice" },
      { owner: "a~b", id: "=7e/../ü" },
    ] satisfies Array<SessionKey>) {
      const { session } = sessions.explain(key)
      const live = await sessions.run(key, (_, task) => task.session)
      expect([keyHash(session), keyHash(live)]).toEqual([keyHash(key), keyHash(key)])
    }
    expect(keyHash({ owner: "alice", id: undefined })).toBe(keyHash({ owner: "alice" }))
    await sessions.drain()
  })

  test("keys that look alike are told apart", () => {
    const alike: ReadonlyArray<SessionKey> = [
      "alice",
      "Alice",
      "alice ",
      "alice\u0000",
      "alice~",
      { owner: "alice" },
      { owner: "alice", id: "alice" },
      { owner: "alice~alice" },
      "alice~alice",
      { owner: "ali", id: "ce" },
      { owner: "al", id: "ice" },
      "\u00e9",
      "e\u0301",
      "\ud800",
      "\udfff",
      "\ufffd",
      "__proto__",
      "constructor",
      "=61lice",
    ]
    expect(new Set(alike.map(keyHash)).size).toBe(alike.length)
  })

  test("whatever the key holds, 16 hexadecimal digits come out, and nothing of the key", () => {
    const part = fc.string({ unit: "binary", minLength: 1, maxLength: 250 })
    const key = fc.oneof(part, fc.record({ owner: part }), fc.record({ owner: part, id: part }))
    const seen = new Map<string, string>()
    fc.assert(
      fc.property(key, (one) => {
        const hash = keyHash(one)
        expect(hash).toMatch(form)
        const text = JSON.stringify(one)
        expect(seen.get(hash) ?? text).toBe(text)
        seen.set(hash, text)
      }),
      { numRuns: 500 },
    )
    for (const hostile of [
      "</script><script>",
      "a\r\nset-cookie: x=1",
      "deadbeefdeadbeef",
      "x".repeat(512),
    ]) {
      expect(keyHash(hostile)).toMatch(form)
      expect(keyHash(hostile)).not.toBe(hostile)
      // Not the digest that others store of the same text, such as an e-mail address.
      expect(createHash("sha256").update(hostile).digest("hex").startsWith(keyHash(hostile))).toBe(false)
    }
  })

  test.for<readonly [string, unknown]>([
    ["empty", ""],
    ["too long", "x".repeat(513)],
    ["too long in all", { owner: "x".repeat(256), id: "y".repeat(257) }],
    ["an empty owner", { owner: "" }],
    ["an empty id", { owner: "a", id: "" }],
    ["a list", ["a"]],
    ["a number", 7],
    ["null", null],
    ["undefined", undefined],
    [
      "a ref that was tampered with",
      { name: "x", key: "bob~1", id: "1", owner: "alice", generation: 1, serial: 1 } satisfies SessionRef,
    ],
  ])("L17: %s is InvalidKey, and the message holds nothing of it", ([, key]) => {
    expect(() => keyHash(key as SessionKey)).toThrow(
      expect.objectContaining({
        _tag: "SessionMisuse",
        reason: "InvalidKey",
        message: expect.not.stringMatching(/alice|bob|xxx/) as string,
      }),
    )
  })
})
