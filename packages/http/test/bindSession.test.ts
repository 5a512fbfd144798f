import { SessionMisuse } from "@sojourn/core"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { bindSession, type FromRequestOptions } from "../src/index.ts"
import { next, registry, rest, Source } from "./support.ts"

/** A client whose connection the test holds. */
const client = (lastEventId?: string) => {
  const connection = new AbortController()
  let asked = 0
  const gone = (): AbortSignal => {
    asked++
    return connection.signal
  }
  return { leave: () => connection.abort(new Error("gone")), asked: () => asked, gone, lastEventId }
}

test("L5: who leaves cancels the turn it waits for, and opens nothing more", async () => {
  const sessions = registry()
  const browser = client()
  const session = bindSession(sessions, { owner: "alice" }, browser, undefined)
  const ended = next(sessions, "TaskEnded")
  const started = next(sessions, "TaskStarted")
  const turn = session.run((_resource, { signal }) => sleep(60_000, undefined, { signal }))
  await started
  browser.leave()
  await expect(turn).rejects.toThrow("gone")
  expect((await ended).outcome).toBe("cancelled")
  await expect(session.run(() => 1)).rejects.toThrow("gone")
  expect(await sessions.run({ owner: "alice" }, () => 1)).toBe(1)
})

test('L5: with onDisconnect "continue" the turn goes on, and the connection is not even looked at', async () => {
  const sessions = registry()
  const browser = client()
  const session = bindSession(sessions, { owner: "alice" }, browser, { onDisconnect: "continue" })
  const go = Promise.withResolvers<number>()
  const turn = session.run(() => go.promise)
  browser.leave()
  go.resolve(7)
  expect(await turn).toBe(7)
  expect(browser.asked()).toBe(0)
})

test("a browser that comes back goes on behind what it has, in the stream it was in", async () => {
  const sessions = registry()
  const [first, second] = [new Source<string>(), new Source<string>()]
  const of = (lastEventId?: string) =>
    bindSession(sessions, { owner: "alice" }, client(lastEventId), undefined)
  const older = of().stream(first.read, { resumable: true, whenBusy: "overlap" })
  of().stream(second.read, { resumable: true, whenBusy: "overlap" })
  first.give("a", "b")
  second.give("x", "y")
  first.end()
  second.end()
  const seen = async (lastEventId?: string): Promise<ReadonlyArray<string> | undefined> => {
    const stream = await of(lastEventId).resume()
    return stream === undefined ? undefined : rest(stream as AsyncIterable<string>)
  }
  expect(await seen(`${older.id}:1`)).toEqual(["b"])
  expect(await seen("1")).toEqual(["y"])
  expect(await seen("0")).toEqual(["x", "y"])
  // Of another process, or of nobody: there is nothing to go on with.
  expect(await seen(`${older.id}.0123456789ab:1`)).toBeUndefined()
  expect(await seen("t999:1")).toBeUndefined()
})

test.for<readonly [string, unknown]>([
  ["a misspelt one", { ondisconnect: "continue" }],
  ["an unknown choice", { onDisconnect: "ignore" }],
  ["no object", "continue"],
])("L17: %s is an InvalidOption", ([, options]) => {
  const bind = (): unknown => bindSession(registry(), "a", client(), options as FromRequestOptions)
  expect(bind).toThrow(SessionMisuse)
  expect(bind).toThrow(expect.objectContaining({ reason: "InvalidOption" }))
})
