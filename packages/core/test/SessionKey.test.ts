import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { SessionMisuse } from "../src/errors.ts"
import { resolveKey, type SessionKey, type SessionRef } from "../src/SessionKey.ts"

// Every UTF-16 unit, lone surrogates included, and what separates, escapes or names devices somewhere.
const unit = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.constantFrom(
    "~",
    "=",
    "/",
    "\\",
    ".",
    "..",
    ":",
    "%",
    "\0",
    "\n",
    " ",
    "a",
    "A",
    "7e",
    "=7e",
    "=u",
    "con",
    "nul",
    "é",
    "e\u0301",
    "😀",
    "\ud83d",
  ),
)
const text = fc.array(unit, { minLength: 1, maxLength: 12 }).map((units) => units.join(""))
const keys: fc.Arbitrary<string | { readonly owner: string; readonly id?: string }> = fc.oneof(
  text,
  fc.record({ owner: text }),
  fc.record({ owner: text, id: text }),
)
const identity = (key: string | { readonly owner: string; readonly id?: string }): string =>
  JSON.stringify(typeof key === "string" ? [key] : [key.owner, key.id ?? null, "owned"])

const refOf = ({ canonical, id, owner }: ReturnType<typeof resolveKey>): SessionRef => ({
  name: "x",
  key: canonical,
  id,
  owner,
  generation: 3,
  serial: 9,
})
const misuse = (key: unknown): unknown => {
  try {
    return resolveKey(key as SessionKey)
  } catch (error) {
    return error instanceof SessionMisuse ? error.reason : error
  }
}

describe("L17: keys", () => {
  test("L19: no two keys have one text", () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const same = identity(a) === identity(b)
        expect(resolveKey(a).canonical === resolveKey(b).canonical).toBe(same)
      }),
      { numRuns: 5000 },
    )
  })

  test("L19: no two keys have one text, also when one spells the other's", () => {
    fc.assert(
      fc.property(keys, (key) => {
        const { canonical } = resolveKey(key)
        if (canonical.length > 512) return
        const spelt = resolveKey(canonical).canonical
        expect(spelt === canonical).toBe(key === canonical)
        expect(resolveKey({ owner: canonical }).canonical).not.toBe(canonical)
      }),
      { numRuns: 3000 },
    )
  })

  test("L19: the text is a safe file name on every system, and no two differ only in capitals", () => {
    fc.assert(
      fc.property(keys, (key) => {
        const { canonical } = resolveKey(key)
        expect(canonical).toMatch(/^[a-z0-9_=~-][a-z0-9._=~-]*$/)
        expect(canonical).not.toMatch(/\.$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/)
      }),
      { numRuns: 5000 },
    )
  })

  test("L19: a key and the ref made of it are one key", () => {
    fc.assert(
      fc.property(keys, (key) => {
        const resolved = resolveKey(key)
        expect(resolveKey(refOf(resolved))).toEqual(resolved)
      }),
    )
  })

  test("L19: a ref is believed only as far as its parts say the same", () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        fc.pre(identity(a) !== identity(b))
        const [mine, other] = [resolveKey(a), resolveKey(b)]
        const forged = {
          name: "x",
          key: other.canonical,
          id: mine.id,
          owner: mine.owner,
          generation: 1,
          serial: 1,
        }
        const belongs =
          typeof a === "object" &&
          typeof b === "object" &&
          a.owner === b.owner &&
          (b.id ?? b.owner) === mine.id
        expect(misuse(forged)).toEqual(belongs ? other : "InvalidKey")
      }),
    )
  })

  test.each<[string, SessionKey, string]>([
    ["a plain word is itself", "alice", "alice"],
    ["dots within", "a.b_c-d", "a.b_c-d"],
    ["a dot at an end", ".a.", "=2ea=2e"],
    ["up", "..", "=2e=2e"],
    ["capitals", "Alice", "=41lice"],
    ["a device name", "con", "=63on"],
    ["a device name with an ending", "nul.txt", "=6eul.txt"],
    ["what only begins like one", "console", "console"],
    ["a prototype's name", "__proto__", "__proto__"],
    ["a separator", "a~b", "a=7eb"],
    ["an escape", "a=7eb", "a=3d7eb"],
    ["NUL", "\0", "=00"],
    ["a lone surrogate", "\ud83d", "=ud83d"],
    ["another script", "é", "=u00e9"],
    ["an owner", { owner: "alice" }, "alice~"],
    ["an owner and an id", { owner: "alice", id: "chat" }, "alice~chat"],
    ["a path as an id", { owner: "alice", id: "../bob" }, "alice~=2e.=2fbob"],
    ["a device name as an owner", { owner: "aux" }, "=61ux~"],
  ])("L19: %s", (_, key, canonical) => {
    expect(resolveKey(key).canonical).toBe(canonical)
  })

  test.each<[string, unknown]>([
    ["empty", ""],
    ["an empty owner", { owner: "" }],
    ["an empty id", { owner: "a", id: "" }],
    ["513 characters", "a".repeat(513)],
    ["513 characters in two parts", { owner: "a".repeat(256), id: "b".repeat(257) }],
    ["a number", 5],
    ["nothing", undefined],
    ["null", null],
    ["a boolean", true],
    ["a symbol", Symbol("a")],
    ["a boxed string", new String("a")],
    ["an array", ["a", "b"]],
    ["no owner", { id: "a" }],
    ["an owner that is none", { owner: 5 }],
    ["a null id", { owner: "a", id: null }],
    ["a ref without parts", { key: "a", serial: 1 }],
    ["a ref whose parts are not texts", { key: "a", serial: 1, id: 5, owner: undefined }],
    ["a ref of somebody else", { key: "bob~x", serial: 1, id: "x", owner: "alice" }],
    ["a ref that says a string key is owned", { key: "a", serial: 1, id: "a", owner: "a" }],
    [
      "a ref longer than a key may be",
      {
        key: `${"a".repeat(512)}~${"b".repeat(512)}`,
        serial: 1,
        id: "b".repeat(512),
        owner: "a".repeat(512),
      },
    ],
  ])("L17: %s is no key", (_, key) => {
    expect(misuse(key)).toBe("InvalidKey")
  })

  test("L17: 512 characters in all are allowed, also in a ref", () => {
    for (const key of [
      "a".repeat(512),
      { owner: "a".repeat(512) },
      { owner: "a".repeat(300), id: "b".repeat(212) },
    ]) {
      const resolved = resolveKey(key)
      expect(resolveKey(refOf(resolved))).toEqual(resolved)
    }
  })

  test("L17: what is said of a wrong key does not repeat it", () => {
    const secret = "s3cret"
    for (const key of [
      secret.repeat(100),
      { owner: secret, id: "" },
      { owner: secret, id: 5 },
      { key: secret, serial: 1, id: secret },
    ]) {
      try {
        resolveKey(key as SessionKey)
        expect.unreachable()
      } catch (error) {
        expect(String(error)).not.toContain(secret)
      }
    }
  })
})

test("L1: keys asked for one after the other are each their own, whatever was asked for before", () => {
  const part = fc.constantFrom("a", "b", "A", "a~b", "con", "x".repeat(200), "é")
  fc.assert(
    fc.property(
      fc.array(fc.record({ owner: part, id: fc.option(part, { nil: undefined }) }), { maxLength: 30 }),
      (asked) => {
        for (const key of asked) {
          const { canonical, id, owner } = resolveKey(key)
          const written = (of: string | undefined): string =>
            of === undefined ? "" : resolveKey(of).canonical
          expect([canonical, id, owner]).toEqual([
            `${written(key.owner)}~${written(key.id)}`,
            key.id ?? key.owner,
            key.owner,
          ])
        }
      },
    ),
  )
  for (let i = 0; i < 10_000; i++)
    expect(resolveKey({ owner: `many-${i % 5000}`, id: `${i}` }).canonical).toBe(`many-${i % 5000}~${i}`)
})
