import { SessionMisuse } from "@sojourn/core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { keyOf, problemAnswer, type KeyFrom } from "../src/index.ts"
import { registry } from "./support.ts"

type Anything = KeyFrom<[owner: unknown, id: unknown]>
const both: Anything = { owner: (owner) => owner as string, id: (_owner, id) => id as string }
const ownerOnly: Anything = { owner: (owner) => owner as string }

/** The status it is refused with; undefined: it is not. */
const refusal = (make: () => unknown): number | undefined => {
  try {
    make()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(SessionMisuse)
    expect(error).toMatchObject({ reason: "InvalidKey" })
    return problemAnswer(error as SessionMisuse).status
  }
}

// What escaping is about, so that short lists come close to each other.
const parts = fc.string({ unit: fc.constantFrom("a", "/", "~", "0", "1"), maxLength: 3 })
const lists = fc.array(parts, { minLength: 1, maxLength: 4 }).filter((list) => list.join("/") !== "")
const owners = fc.constantFrom("a", "a~", "a/", "~", "~0", "/")

test("L19: no two owners and lists meet in one session", () => {
  const { explain } = registry()
  const canonical = (owner: string, id: unknown): string => explain(keyOf(both, owner, id)).session.key
  fc.assert(
    fc.property(owners, lists, owners, lists, (owner, list, otherOwner, otherList) => {
      const same = owner === otherOwner && JSON.stringify(list) === JSON.stringify(otherList)
      expect(canonical(owner, list) === canonical(otherOwner, otherList)).toBe(same)
    }),
    { numRuns: 5000 },
  )
})

test("L19: no two owners and texts meet in one session, with or without an id", () => {
  const { explain } = registry()
  const texts = fc.oneof(parts, fc.string({ unit: "binary", maxLength: 6 })).filter((text) => text !== "")
  const canonical = (owner: string, id: string | undefined): string =>
    explain(id === undefined ? keyOf(ownerOnly, owner, id) : keyOf(both, owner, id)).session.key
  const ids = fc.option(texts, { nil: undefined })
  fc.assert(
    fc.property(texts, ids, texts, ids, (owner, id, otherOwner, otherId) => {
      expect(canonical(owner, id) === canonical(otherOwner, otherId)).toBe(
        owner === otherOwner && id === otherId,
      )
    }),
    { numRuns: 5000 },
  )
})

test("a wildcard's parts are the path they came from, and a slash inside one is none between two", () => {
  expect(keyOf(both, "alice", ["a"])).toEqual({ owner: "alice", id: "a" })
  expect(keyOf(both, "alice", ["a", "b"])).toEqual({ owner: "alice", id: "a/b" })
  expect(keyOf(both, "alice", ["a/b"])).toEqual({ owner: "alice", id: "a~1b" })
  expect(keyOf(both, "alice", ["a~1b"])).toEqual({ owner: "alice", id: "a~01b" })
  expect(keyOf(both, "alice", "a/b")).toEqual({ owner: "alice", id: "a/b" })
})

test("whatever a query parser makes of an id: a usable key, or 400", () => {
  const { explain } = registry()
  const anything = fc.oneof(
    fc.anything({ withSparseArray: true, withNullPrototype: true, withBigInt: true, withDate: true }),
    fc.array(fc.oneof(parts, fc.anything())),
    fc.string({ minLength: 505, maxLength: 515 }),
  )
  fc.assert(
    fc.property(anything, (id) => {
      let key: ReturnType<typeof keyOf>
      try {
        key = keyOf(both, "alice", id)
      } catch (error) {
        expect(error).toMatchObject({ reason: "InvalidKey", status: 400 })
        return
      }
      expect(explain(key).session.owner).toBe("alice")
    }),
    { numRuns: 2000 },
  )
})

test.for<readonly [string, unknown]>([
  ["nothing", undefined],
  ["null", null],
  ["an empty text", ""],
  ["a number", 7],
  ["an object", { id: "a" }],
  ["something like a list", { 0: "a", length: 1 }],
  ["an empty list", []],
  ["a list of one empty text", [""]],
  ["a list with a gap", [, "a"]], // oxlint-disable-line no-sparse-arrays
  ["a list of lists", [["a"]]],
  ["a list with an object", ["a", { toString: () => "b" }]],
  ["a text object", new String("a")],
])("%s as an id is 400", ([, id]) => {
  expect(refusal(() => keyOf(both, "alice", id))).toBe(400)
})

test.for<readonly [string, unknown, number]>([
  ["nothing", undefined, 401],
  ["null", null, 401],
  ["an empty text", "", 401],
  ["a number: a mistake of the application", 7, 500],
  ["a promise: the same", Promise.resolve("alice"), 500],
  ["a list, as a query parser makes it: the same", ["alice"], 500],
  ["an object with a length: the same", { length: 1 }, 500],
])("an owner that is %s", ([, owner, status]) => {
  expect(refusal(() => keyOf(both, owner, "a"))).toBe(status)
  expect(refusal(() => keyOf(ownerOnly, owner, undefined))).toBe(status)
})

test("the longest key is the longest that core takes", () => {
  const { explain } = registry()
  const longest = { owner: "o".repeat(200), id: "i".repeat(312) }
  expect(explain(keyOf(both, longest.owner, longest.id)).session.id).toBe(longest.id)
  expect(refusal(() => keyOf(both, longest.owner, `${longest.id}i`))).toBe(400)
  expect(() => explain({ ...longest, id: `${longest.id}i` })).toThrow("513")
  expect(explain(keyOf(ownerOnly, "o".repeat(512), undefined)).session.owner).toHaveLength(512)
  expect(refusal(() => keyOf(ownerOnly, "o".repeat(513), undefined))).toBe(400)
})

test("the id is not asked for where nobody asks", () => {
  const asked: Array<string> = []
  const from: Anything = {
    owner: (owner) => owner as string,
    id: () => {
      asked.push("id")
      return "a"
    },
  }
  expect(refusal(() => keyOf(from, undefined, "a"))).toBe(401)
  expect(asked).toEqual([])
})
