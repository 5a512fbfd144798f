import { readiness, type ReadinessOptions } from "../src/index.ts"
import { expect, test } from "vitest"
import { run } from "./start.ts"
import { registry } from "./support.ts"

const ready = { status: 200, body: { status: "ready" } }
const draining = { status: 503, body: { status: "draining" } }

test("L14: it turns red when any registry begins to drain, before the drain has ended", async () => {
  const all = readiness()
  expect(all()).toEqual(ready)
  const [one, other] = [registry(), registry()]
  expect(all()).toEqual(ready)
  const go = Promise.withResolvers<void>()
  const running = one.run("a", () => go.promise)
  const drained = one.drain()
  expect(all()).toEqual(draining)
  // Work that was let in may still finish: red is for what is new.
  go.resolve()
  await running
  expect(await other.run("a", () => 1)).toBe(1)
  await drained
  // That registry is gone, and the others go on.
  expect(all()).toEqual(ready)
})

test("L14: of listed registries only those count, and a drained one is red for good", async () => {
  const [one, other] = [registry(), registry()]
  const [ofOne, ofOther, ofNone] = [one, other, undefined].map((sessions) =>
    readiness({ sessions: sessions === undefined ? [] : [sessions] }),
  )
  await one.drain()
  expect(ofOne?.()).toEqual(draining)
  expect(ofOther?.()).toEqual(ready)
  expect(ofNone?.()).toEqual(ready)
})

test("L14: once drainOnSignals has begun it stays red, also when every registry has drained", async () => {
  const { code, lines } = await run("drainOnSignals", { until: "ready" })
  expect(code).toBe(0)
  expect(lines.filter((line) => typeof line === "object")).toEqual([
    { at: "before", all: ready, listed: 200 },
    { at: "draining", all: draining, listed: 503 },
    { at: "drained", all: draining, listed: 503 },
    { at: "another registry", all: draining, listed: 503 },
  ])
})

test.for<readonly [string, unknown]>([
  ["a misspelt one", { session: [] }],
  ["one registry", { sessions: {} }],
  ["a list of names", { sessions: ["chats"] }],
  ["null", null],
])("L17: %s is an InvalidOption", ([, options]) => {
  expect(() => readiness(options as ReadinessOptions)).toThrow(
    expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }),
  )
})
