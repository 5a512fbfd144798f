import fc from "fast-check"
import { describe, expect, it, vi } from "vitest"
import { pageOf, type Page } from "../../src/shell/pages.ts"
import { readPrefs, usualPrefs } from "../../src/state/prefs.ts"
import { ticks } from "../../src/live/Ticks.ts"
import { Store } from "../../src/state/Store.ts"
import { Announcer } from "../../src/ui/Announcer.ts"
import { Toasts } from "../../src/ui/toasts.ts"

describe("a store", () => {
  it("one listener that throws keeps no other from being told", () => {
    const reported: Array<unknown> = []
    vi.stubGlobal("reportError", (error: unknown) => reported.push(error))
    try {
      const store = new Store(1)
      const told: Array<number> = []
      store.subscribe(() => {
        throw new Error("listener")
      })
      store.subscribe(() => told.push(store.get()))
      store.set(2)
      store.set(2)
      expect(told).toEqual([2])
      expect(reported).toHaveLength(1)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

it("what is stored may be anybody's", () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (stored) => void readPrefs(stored)))
  expect(readPrefs(null)).toEqual(usualPrefs)
  expect(readPrefs('{"theme":"dark","rate":4,"singleKeys":false}')).toEqual({
    theme: "dark",
    rate: 4,
    singleKeys: false,
  })
  expect(readPrefs('{"theme":"pink","rate":1000,"singleKeys":"no"}')).toEqual(usualPrefs)
})

it("what is said by itself is said at most every 10 s, and then the newest", () => {
  vi.useFakeTimers()
  try {
    const announcer = new Announcer()
    const said: Array<string> = []
    announcer.said.subscribe(() => said.push(announcer.said.get()))
    announcer.say("one")
    announcer.say("two")
    vi.advanceTimersByTime(5000)
    announcer.say("three")
    vi.advanceTimersByTime(4999)
    expect(said).toEqual(["one"])
    vi.advanceTimersByTime(1)
    expect(said).toEqual(["one", "three"])
    announcer.say("three")
    vi.advanceTimersByTime(60_000)
    expect(said).toEqual(["one", "three"])
    announcer.say("four")
    expect(said).toEqual(["one", "three", "four"])
  } finally {
    vi.useRealTimers()
  }
})

it("the time ticks only while somebody watches, and is right for who begins to", () => {
  vi.useFakeTimers()
  try {
    const time = ticks(1000)
    vi.advanceTimersByTime(3600)
    expect(vi.getTimerCount()).toBe(0)
    const stop = time.subscribe(() => {})
    expect(time.get()).toBe(Date.now())
    vi.advanceTimersByTime(1000)
    expect(time.get()).toBe(Date.now())
    stop()
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

it("toasts are few, and one that was dismissed comes back when there is news of it", () => {
  const toasts = new Toasts()
  const id = toasts.add("info", "interrupting…")
  toasts.change(id, "good", "ended")
  expect(toasts.get()).toEqual([{ id, tone: "good", text: "ended" }])
  toasts.remove(id)
  toasts.change(id, "bad", "would not end")
  expect(toasts.get()).toHaveLength(1)
  for (let more = 0; more < 10; more += 1) toasts.add("info", `${more}`)
  expect(toasts.get().map(({ text }) => text)).toEqual(["6", "7", "8", "9"])
})

it("an address has the first page that fits", () => {
  const page = (id: string, path: ReadonlyArray<string>): Page => ({ id, title: id, path, view: () => null })
  const pages = [
    page("sessions", ["sessions"]),
    page("session", ["sessions", ":id"]),
    page("any", [":x", ":y"]),
  ]
  const found = (path: ReadonlyArray<string>) => {
    const of = pageOf(pages, { path, search: "" })
    return of === undefined ? undefined : [of.page.id, of.at]
  }
  expect(found(["sessions"])).toEqual(["sessions", {}])
  expect(found(["sessions", "a/b"])).toEqual(["session", { id: "a/b" }])
  expect(found(["tasks", "1"])).toEqual(["any", { x: "tasks", y: "1" }])
  expect(found(["tasks"])).toBeUndefined()
})
