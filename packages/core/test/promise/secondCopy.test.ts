import { expect, test } from "vitest"
import * as errors from "../../src/errors.ts"
import { worldOf } from "../support/ledger.ts"

// A second copy of the package in one process: another version in another folder of node_modules.
const copied = "../../src/errors.ts?copy"
const copy = (await import(/* @vite-ignore */ copied)) as typeof errors

const made = (from: typeof errors): ReadonlyArray<readonly [string, Error]> => [
  ["SessionRefused", new from.SessionRefused({ reason: "Busy" })],
  ["SessionOpenFailed", new from.SessionOpenFailed({ reason: "Failed", cause: 1 })],
  ["SessionMisuse", new from.SessionMisuse({ reason: "InvalidKey" })],
]

test("L17: `instanceof` is true across copies of the package, and only for its own class", () => {
  expect(copy.SessionRefused).not.toBe(errors.SessionRefused)
  for (const [theirs, ours] of [
    [errors, copy],
    [copy, errors],
  ] as const) {
    for (const [tag, error] of made(theirs)) {
      expect(error.constructor).not.toBe(ours[tag as "SessionRefused"])
      const matching = (
        ["SessionRefused", "SessionOpenFailed", "TaskStopped", "SessionMisuse"] as const
      ).filter((name) => error instanceof ours[name])
      expect(matching).toEqual([tag])
      expect(ours.isSessionError(error)).toBe(true)
    }
  }
})

test("L17: an error that only looks like ours is not, whatever tag it bears", () => {
  const pretenders: ReadonlyArray<unknown> = [
    { _tag: "SessionRefused", reason: "Busy" },
    Object.assign(new Error("x"), { _tag: "SessionRefused", reason: "Busy" }),
    null,
    undefined,
    "SessionRefused",
    5,
  ]
  for (const one of pretenders) {
    expect(one instanceof errors.SessionRefused).toBe(false)
    expect(errors.isSessionError(one)).toBe(false)
  }
})

test("L17: what is read through getters is data all the same, and costs nothing until it is read", async () => {
  const { sessions } = worldOf({ name: "errors", open: () => 1, maxQueued: 0 })
  const error = await sessions
    .run("secret", () => sessions.run("secret", () => 1))
    .catch((one: unknown) => one)
  expect(Object.keys(error as object).toSorted()).toEqual(["_tag", "name", "reason", "retryAfter"])
  expect((error as errors.SessionMisuse).session.key).toBe("secret")
})
