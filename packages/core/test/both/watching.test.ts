import { describe, expect, test } from "vitest"
import type { SessionEvent } from "../../src/observe/SessionEvent.ts"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial
const tags = (events: ReadonlyArray<SessionEvent>): ReadonlyArray<string> => events.map((event) => event._tag)

/** Per key: what became ready was closed once, before the next became ready. */
const expectAlternating = (events: ReadonlyArray<SessionEvent>): void => {
  const ready = new Map<string, number>()
  const opened = new Set<number>()
  for (const event of events) {
    if (event._tag === "Opened") {
      expect(ready.has(event.session.key)).toBe(false)
      ready.set(event.session.key, event.session.serial)
      opened.add(event.session.serial)
    }
    if (event._tag === "Closed" && opened.has(event.session.serial)) {
      expect(ready.get(event.session.key)).toBe(event.session.serial)
      ready.delete(event.session.key)
    }
  }
}

describe.each(faces)("$face", ({ world }) => {
  test("L15: a life, in order, with what a listener needs to know", async () => {
    const { clock, events, sessions } = world({ idleTimeout: 1000 }, () => clock.after(200))
    const running = sessions.run("a", () => clock.after(50), { name: "query" })
    await clock.advance(1250)
    await running
    expect(tags(events)).toEqual([
      "TaskQueued",
      "Opening",
      "Opened",
      "TaskStarted",
      "TaskEnded",
      "Closing",
      "Closed",
    ])
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(events.map((event) => event.at)).toEqual([0, 0, 200, 200, 250, 1250, 1250])
    expect(events.find((event) => event._tag === "Opened")).toMatchObject({
      session: { key: "a", id: "a", generation: 1, serial: 1 },
      durationMs: 200,
    })
    expect(events.find((event) => event._tag === "TaskEnded")).toMatchObject({
      task: { name: "query", kind: "turn", state: "succeeded" },
      outcome: "succeeded",
      waitedMs: 200,
      ranMs: 50,
    })
    expect(events.find((event) => event._tag === "Closed")).toMatchObject({
      reason: "Idle",
      leaked: false,
      durationMs: 0,
    })
  })

  test("L15: Opened and Closed alternate per key through restarts, losses, failed opens, leaks and closes", async () => {
    const { clock, events, sessions } = world(
      { timeouts: { close: 300, grace: 100 }, restart: { delay: 0, times: 100 } },
      ({ serial, onClose }) => {
        if (serial % 5 === 0) throw new Error("no")
        if (serial % 7 === 0) onClose(() => gate().promise)
      },
    )
    for (let round = 0; round < 40; round++) {
      const key = `k${round % 3}`
      const told = outcomeOf(
        sessions.run(key, (_, task) => (round % 4 === 0 ? task.broken("dead") : undefined)),
      )
      if (round % 3 === 0) void sessions.restart(key)
      if (round % 5 === 0) void sessions.close(key)
      await clock.advance(round % 2 === 0 ? 400 : 1)
      await told
    }
    await Promise.all([sessions.drain(), clock.advance(10_000)])
    expectAlternating(events)
    const count = (tag: string): number => events.filter((event) => event._tag === tag).length
    expect(count("Opened")).toBeGreaterThan(15)
    expect(count("OpenFailed")).toBeGreaterThan(1)
    // Every generation that began to open ended once, ready or not.
    expect(count("Closed")).toBe(count("Opening"))
    expect(events.some((event) => event._tag === "Closed" && event.leaked)).toBe(true)
  })

  test("L15: a failed opening and an unwanted one have their ends told too, and nothing as Opened", async () => {
    const { events, sessions } = world({ restart: { delay: 0 } }, ({ key }) => {
      if (key === "bad") throw new Error("no database")
    })
    await outcomeOf(sessions.run("bad", serialOf))
    await settle()
    expect(tags(events)).not.toContain("Opened")
    const failed = events.find((event) => event._tag === "OpenFailed")
    expect(failed).toMatchObject({ session: { key: "bad", serial: 1 }, error: new Error("no database") })
    expect(events.at(-1)).toMatchObject({ _tag: "Closed", reason: "OpenFailed" })
  })

  test("L16: under a burst, task events are dropped and counted, facts of a life never", async () => {
    const { events, sessions } = world({ maxQueued: 100_000 })
    const own: Array<SessionEvent> = []
    await sessions.run("a", serialOf)
    await settle()
    const before = events.length
    sessions.subscribe((event) => own.push(event))
    const burst = Array.from({ length: 6000 }, () => outcomeOf(sessions.run("a", serialOf)))
    const lives = Array.from({ length: 300 }, (_, index) => sessions.run(`k${index}`, serialOf))
    await Promise.all([...burst, ...lives])
    await Promise.all(Array.from({ length: 300 }, (_, index) => sessions.close(`k${index}`)))
    await settle()
    const dropped = own.flatMap((event) => (event._tag === "EventsDropped" ? [event.count] : []))
    expect(dropped.length).toBeGreaterThan(0)
    for (const tag of ["Opening", "Opened", "Closing", "Closed"]) {
      expect(own.filter((event) => event._tag === tag).length).toBe(300)
    }
    // Nothing is lost uncounted: what was told and what was dropped are all that happened.
    expect(own.length + dropped.reduce((sum, count) => sum + count, 0)).toBe((own.at(-1)?.seq ?? 0) - before)
    expect(own.map((event) => event.seq)).toEqual(own.map((event) => event.seq).toSorted((a, b) => a - b))
    expectAlternating(own)
  })

  test("L16: what a listener throws, or rejects with, reaches nobody, and is counted; the next is told all the same", async () => {
    const { events, registry, sessions } = world()
    sessions.subscribe(() => {
      throw new Error("a listener's own")
    })
    sessions.subscribe(async () => {
      await settle()
      throw new Error("an async listener's own")
    })
    const own: Array<SessionEvent> = []
    sessions.subscribe((event) => own.push(event))
    expect(await sessions.run("a", serialOf)).toBe(1)
    await sessions.close("a")
    await settle()
    await settle()
    expect(tags(own)).toEqual(tags(events))
    expect(registry.events.listenerErrors).toBe(events.length * 2)
  })

  test("L16: a listener runs after the step, never inside it or inside a task", async () => {
    const { sessions } = world()
    let inTask = false
    const seen: Array<readonly [tag: string, inTask: boolean]> = []
    sessions.subscribe((event) => seen.push([event._tag, inTask]))
    await sessions.run("a", () => undefined)
    await sessions.run("a", () => {
      inTask = true
      void outcomeOf(sessions.run("b", serialOf, { detach: true }))
      void sessions.explain("a")
      inTask = false
    })
    await settle()
    expect(seen.length).toBeGreaterThan(8)
    expect(seen.filter(([, inside]) => inside)).toEqual([])
  })

  test("L16: subscribing twice is told twice and ended once each; nobody is told after the end", async () => {
    const { sessions } = world()
    let told = 0
    const listener = (event: SessionEvent): void => void (event._tag === "Opened" && told++)
    const first = sessions.subscribe(listener)
    const second = sessions.subscribe(listener)
    await sessions.run("a", serialOf)
    await settle()
    expect(told).toBe(2)
    first()
    first()
    await sessions.run("b", serialOf)
    await settle()
    expect(told).toBe(3)
    second[Symbol.dispose]()
    await sessions.run("c", serialOf)
    await settle()
    expect(told).toBe(3)
  })

  test("L16: without a listener the same things happen, and memory for what was is bounded", async () => {
    const { registry, sessions } = world()
    for (let index = 0; index < 1000; index++) await sessions.run("a", serialOf)
    expect([...registry.monitor.recent.newest()].length).toBe(256)
    expect(registry.monitor.outcomes.succeeded).toBe(1000)
  })
})
