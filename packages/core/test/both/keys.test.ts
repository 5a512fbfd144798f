import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { resolveKey, type SessionKey } from "../../src/SessionKey.ts"
import { faces } from "../support/faces.ts"
import { outcomeOf } from "../support/ledger.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial

/** Each must be a session of its own, and none may break anything. */
const hostile: ReadonlyArray<string | { readonly owner: string; readonly id?: string }> = [
  ..."__proto__ constructor prototype toString hasOwnProperty valueOf con CON nul NUL.txt aux.h COM1 lpt9 . .. ... a. .a ~ a~ ~a a~b =".split(
    " ",
  ),
  ..."=7e =2E a=7eb alice=7echat alice~chat alice~ / \\ /etc/passwd ../../x C:\\x a/b a\\b : a:b % %2e %00 ? * < > | a,b undefined null NaN 0 -1".split(
    " ",
  ),
  "Alice",
  "alice",
  "ALICE",
  " alice",
  "alice ",
  "\0",
  "a\0b",
  "\n",
  "\r\n",
  "\u2028",
  "\ud83d",
  "\ude00",
  "😀",
  "é",
  "e\u0301",
  "\u202e",
  "a".repeat(512),
  "=".repeat(512),
  { owner: "alice" },
  { owner: "alice", id: "alice" },
  { owner: "alice", id: "chat" },
  { owner: "alice", id: "chat~" },
  { owner: "alice~chat" },
  { owner: "alice~", id: "chat" },
  { owner: "Alice", id: "chat" },
  { owner: "alice", id: "../bob" },
  { owner: "bob", id: "chat" },
  { owner: "__proto__", id: "__proto__" },
  { owner: "a".repeat(511), id: "a" },
  { owner: "a", id: "a".repeat(511) },
]

describe.each(faces)("$face", ({ world }) => {
  test("L19, L1: hostile keys are sessions of their own: none breaks anything, none meets another", async () => {
    const { ledger, sessions } = world()
    const serials = new Map<number, unknown>()
    for (const key of hostile) {
      const serial = await sessions.run(key, serialOf)
      expect([serials.get(serial), key]).toEqual([undefined, key])
      serials.set(serial, key)
    }
    for (const [serial, key] of serials) {
      expect(await sessions.run(key as SessionKey, serialOf)).toBe(serial)
      const { session } = sessions.explain(key as SessionKey)
      expect(session.serial).toBe(serial)
      expect(await sessions.run(session, serialOf)).toBe(serial)
    }
    expect(ledger.opened).toBe(hostile.length)
    expect(ledger.mostOfOneKey).toBe(1)
    for (const key of hostile)
      expect((await sessions.close(key))?.session.key).toBe(resolveKey(key).canonical)
    expect(ledger.live).toBe(0)
  })

  test("L19: keys of every kind, in any order, through the registry: one session for each and each its own", async () => {
    const part = fc.oneof(
      fc.constantFrom("a", "A", "a~b", "a=7eb", "b", "~", "=", "con", "\ud83d", "é"),
      fc
        .array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 4 })
        .map((units) => String.fromCharCode(...units)),
    )
    const keys = fc.oneof(part, fc.record({ owner: part }), fc.record({ owner: part, id: part }))
    await fc.assert(
      fc.asyncProperty(fc.array(keys, { minLength: 2, maxLength: 20 }), async (all) => {
        const { ledger, sessions } = world()
        const byIdentity = new Map<string, number>()
        for (const key of all) {
          const serial = await sessions.run(key, serialOf)
          const identity = JSON.stringify(
            typeof key === "string" ? [key] : [key.owner, "id" in key ? key.id : null],
          )
          expect(byIdentity.get(identity) ?? serial).toBe(serial)
          byIdentity.set(identity, serial)
        }
        expect(ledger.opened).toBe(byIdentity.size)
      }),
      { numRuns: 40 },
    )
  })

  test("L19: a string that spells an owner's session reaches none of it, whichever came first", async () => {
    for (const order of [0, 1]) {
      const { sessions } = world()
      const both: ReadonlyArray<SessionKey> = ["alice~chat", { owner: "alice", id: "chat" }]
      const [first, second] = order === 0 ? both : both.toReversed()
      if (first === undefined || second === undefined) return
      const serial = await sessions.run(first, serialOf)
      expect(await outcomeOf(sessions.run(second, serialOf, { mustExist: true }))).toBe(
        "SessionRefused NotFound",
      )
      expect(await sessions.cancel(second)).toBe(0)
      expect(await sessions.close(second)).toBeUndefined()
      expect(sessions.explain(second).state).toBe("Closed")
      expect(await sessions.run(first, serialOf)).toBe(serial)
    }
  })

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    ["empty", ""],
    ["513 characters", "a".repeat(513)],
    ["an empty id", { owner: "alice", id: "" }],
    [
      "a ref of another's",
      { name: "x", key: "bob~chat", id: "chat", owner: "alice", generation: 1, serial: 1 },
    ],
  ])("L17: %s is refused by every verb, and makes nothing", async (_, key) => {
    const { registry, sessions } = world()
    const wrong = key as SessionKey
    const verbs: ReadonlyArray<() => Promise<unknown>> = [
      () => sessions.run(wrong, serialOf),
      () => sessions.lease(wrong),
      () => sessions.close(wrong),
      () => sessions.restart(wrong),
      () => sessions.cancel(wrong),
      async () => sessions.explain(wrong),
    ]
    for (const verb of verbs) expect(await outcomeOf(verb())).toBe("SessionMisuse InvalidKey")
    expect(registry.sessions.size).toBe(0)
  })
})
