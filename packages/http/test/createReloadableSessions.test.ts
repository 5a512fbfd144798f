import { createSessions, type SessionOptions } from "@sojourn/core"
import { liveRegistries } from "@sojourn/core/host"
import { expect, onTestFinished, test } from "vitest"
import { createReloadableSessions } from "../src/index.ts"

/** What a module says when it is evaluated for the nth time. */
const evaluate = (name: string, edition: number, opened: Array<string> = []) => {
  const sessions = createReloadableSessions({
    name,
    open: ({ key }) => {
      opened.push(`${key} by ${edition}`)
      return { edition, turns: 0 }
    },
    handlers: { add: (counter, by: number) => [edition, (counter.turns += by)] as const },
    maxQueued: edition,
  })
  onTestFinished(async () => void (await sessions.drain({ finishWithin: 0 })))
  return sessions
}
const live = (name: string): ReadonlyArray<string> =>
  liveRegistries()
    .map((one) => one.name)
    .filter((one) => one.split("#")[0] === name)

test("L1: live sessions survive a second evaluation, and the next opening is the newest's", async () => {
  const opened: Array<string> = []
  const first = evaluate("reload", 1, opened)
  expect(await first.run("a", (it) => ++it.turns)).toBe(1)
  const second = evaluate("reload", 2, opened)
  expect(second).toBe(first)
  expect(live("reload")).toEqual(["reload"])
  // Warm as before, with what it was opened with.
  expect(await second.run("a", (it) => [it.edition, ++it.turns])).toEqual([1, 2])
  expect(await second.run("b", (it) => it.edition)).toBe(2)
  const third = evaluate("reload", 3, opened)
  await third.restart("a")
  expect(await third.run("a", (it) => [it.edition, it.turns])).toEqual([3, 0])
  await third.close("b")
  expect(await first.run("b", (it) => it.edition)).toBe(3)
  expect(opened).toEqual(["a by 1", "b by 2", "a by 3", "b by 3"])
})

test("handlers and limits stay as they were first given", async () => {
  evaluate("reload-handlers", 1)
  const second = evaluate("reload-handlers", 2)
  expect(await second.call("a").add(5)).toEqual([1, 5])
  const go = Promise.withResolvers<void>()
  const running = second.run("a", () => go.promise)
  const waiting = second.run("a", () => {})
  await expect(second.run("a", () => {})).rejects.toMatchObject({ reason: "MaxQueued" })
  go.resolve()
  await Promise.all([running, waiting])
})

test("an opening under way is finished by the one that began it", async () => {
  const go = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const make = (edition: number) =>
    createReloadableSessions({
      name: "reload-opening",
      open: async () => {
        begun.resolve()
        await go.promise
        return edition
      },
    })
  const first = make(1)
  onTestFinished(async () => void (await first.drain({ finishWithin: 0 })))
  const turn = first.run("a", (edition) => edition)
  await begun.promise
  make(2)
  go.resolve()
  expect(await turn).toBe(1)
  expect(await first.run("b", (edition) => edition)).toBe(2)
})

test("L14: one that was drained, or is being drained, is made anew", async () => {
  const first = evaluate("reload-drained", 1)
  const go = Promise.withResolvers<void>()
  const running = first.run("a", () => go.promise)
  const drained = first.drain()
  const second = evaluate("reload-drained", 2)
  expect(second).not.toBe(first)
  expect(await second.run("a", (it) => it.edition)).toBe(2)
  go.resolve()
  await running
  await drained
  expect(evaluate("reload-drained", 3)).toBe(second)
  await second.drain()
  const third = evaluate("reload-drained", 4)
  expect([third === second, await third.run("a", (it) => it.edition)]).toEqual([false, 4])
})

test("two names are two registries; a name that createSessions uses as well is not touched", async () => {
  const [one, other] = [evaluate("reload-one", 1), evaluate("reload-other", 2)]
  expect(one).not.toBe(other)
  expect(await other.run("a", (it) => it.edition)).toBe(2)
  const plain = createSessions({ name: "reload-one", open: () => 7 })
  onTestFinished(async () => void (await plain.drain()))
  expect(plain.name).toBe("reload-one#2")
  expect(evaluate("reload-one", 3)).toBe(one)
})

test("what a second copy of this module made is found", async () => {
  const first = evaluate("reload-copy", 1)
  const path = "../src/createReloadableSessions.ts?copy"
  const copy = (await import(path)) as { createReloadableSessions: typeof createReloadableSessions }
  expect(copy.createReloadableSessions).not.toBe(createReloadableSessions)
  expect(copy.createReloadableSessions({ name: "reload-copy", open: () => 7 })).toBe(first)
})

const open = (): number => 1
test.for<readonly [string, unknown]>([
  ["nothing", undefined],
  ["no name", { open }],
  ["no open", { name: "reload-checked" }],
  ["an open that is no function", { name: "reload-checked", open: 7 }],
  ["a misspelt option", { name: "reload-checked", open, idleTimeOut: 5 }],
  ["a limit below its least", { name: "reload-checked", open, maxSessions: 0 }],
  ["a handler that is no function", { name: "reload-checked", open, handlers: { add: 1 } }],
  [
    "a handler and a stream of one name",
    { name: "reload-checked", open, handlers: { a: open }, streams: { a: open } },
  ],
])("L17: %s is an InvalidOption, at the first evaluation and at any later one", async ([, options]) => {
  const make = (): unknown => createReloadableSessions(options as SessionOptions<unknown>)
  const refused = expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" })
  expect(make).toThrow(refused)
  const sessions = evaluate("reload-checked", 1)
  expect(make).toThrow(refused)
  // The good one still opens.
  expect(await sessions.run("a", (it) => it.edition)).toBe(1)
})
