import * as Effect from "effect/Effect"
import { afterEach, expect, test } from "vitest"
import { captureTaskStacks } from "../../src/inspect.ts"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { Database, start } from "../effect/support.ts"
import { gate, world } from "../support/ledger.ts"
import { inspect, taskNamed } from "../support/inspected.ts"

const on: Array<Disposable> = []
afterEach(() => {
  for (const one of on.splice(0)) one[Symbol.dispose]()
})
const capture = (...options: Parameters<typeof captureTaskStacks>): Disposable => {
  const one = captureTaskStacks(...options)
  on.push(one)
  return one
}

/** Where a user's code hands in, some calls deep. */
function askForReport(
  of: ReturnType<typeof world>,
  depth: number,
  name: string,
  until: Promise<unknown>,
): Promise<unknown> {
  if (depth > 0) return askForReport(of, depth - 1, name, until)
  return of.sessions.run("a", () => until, { name, whenBusy: "overlap" })
}

test("L16: off unless it is asked for, on until it is disposed of, and gone with the last who wants it", async () => {
  const w = world()
  const held = gate()
  const stackOf = (name: string) => {
    void askForReport(w, 2, name, held.promise)
    return w.clock.advance(0).then(() => taskNamed(inspect(w), name).stack)
  }
  expect(await stackOf("before")).toBeUndefined()
  const one = capture()
  const other = capture({ limit: 2 })
  const stack = await stackOf("on")
  expect(
    stack?.slice(0, 3).every((frame) => /^at askForReport \(.*taskStacks\.test\.ts:\d+:\d+\)$/.test(frame)),
  ).toBe(true)
  expect(stack?.join()).not.toMatch(/core\/src|node_modules\/effect|node:/)
  expect(stack?.length).toBeLessThanOrEqual(8)
  one[Symbol.dispose]()
  one[Symbol.dispose]()
  expect(await stackOf("shorter")).toHaveLength(2)
  other[Symbol.dispose]()
  expect(await stackOf("after")).toBeUndefined()
  expect(Error.stackTraceLimit).toBeGreaterThan(0)
  held.open()
})

test("L16: a share of them, evenly", async () => {
  const w = world()
  const held = gate()
  capture({ share: 0.25 })
  for (let number = 0; number < 40; number++) void askForReport(w, 0, `task ${number}`, held.promise)
  await w.clock.advance(0)
  const stacks = [...(inspect(w).find("a")?.tasks() ?? [])].map(({ stack }) => stack !== undefined)
  expect(stacks).toHaveLength(40)
  for (let at = 0; at < 40; at += 4) expect(stacks.slice(at, at + 4).filter(Boolean)).toHaveLength(1)
  held.open()
})

test("L16: whatever else writes stacks out, a task's is text or none", async () => {
  const w = world()
  const held = gate()
  capture()
  void askForReport(w, 0, "odd", held.promise)
  await w.clock.advance(0)
  const usual = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace") ?? { value: undefined }
  Object.defineProperty(Error, "prepareStackTrace", {
    value: () => ({ not: "text" }),
    configurable: true,
    writable: true,
  })
  try {
    expect(taskNamed(inspect(w), "odd").stack).toEqual([])
  } finally {
    Object.defineProperty(Error, "prepareStackTrace", usual)
  }
  held.open()
})

test("L16: of an Effect, the functions it was called in", async () => {
  class Reports extends Sessions.Service<Reports>()("test/Reports", { layer: () => Database.layer }) {}
  const app = await start(Reports)
  capture()
  const report = Effect.fn("askForReport")(function* () {
    return yield* Reports.run("a", Effect.never, { name: "report" })
  })
  const day = Effect.fn("endOfDay")(function* () {
    return yield* report()
  })
  app.run(day()).catch(() => {})
  await app.clock.advance(0)
  const stack = taskNamed(inspect({ sessions: app.registry }), "report").stack ?? []
  const names = stack.map((frame) => frame.split(" ")[1])
  expect(names.indexOf("askForReport")).toBeGreaterThanOrEqual(0)
  expect(names.indexOf("endOfDay")).toBeGreaterThan(names.indexOf("askForReport"))
  expect(stack.join()).not.toMatch(/node_modules\/effect/)
  const stopped = app.stop()
  await app.clock.advance(60_000)
  await stopped
})

test.each([
  [{ limit: 0 }],
  [{ limit: 1.5 }],
  [{ share: 0 }],
  [{ share: 1.1 }],
  [{ share: Number.NaN }],
  [{ shares: 1 }],
])("a wrong option is told: %o", (options) => {
  expect(() => captureTaskStacks(options as never)).toThrow(
    expect.objectContaining({ reason: "InvalidOption" }),
  )
  expect(on).toEqual([])
})
