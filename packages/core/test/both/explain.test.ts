import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial
const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )

describe.each(faces)("$face", ({ world }) => {
  test("L18: of a key never seen: Closed, generation 0, nothing remembered, nothing made", () => {
    const { sessions } = world()
    const { toString: _, ...explanation } = sessions.explain({ owner: "alice", id: "x" })
    expect(explanation).toEqual({
      session: { name: sessions.name, key: "alice~x", id: "x", owner: "alice", generation: 0, serial: 0 },
      state: "Closed",
      alive: [],
      closesAt: undefined,
      ended: undefined,
      tasks: [],
      restarts: { left: 5, nextAt: undefined },
      errors: [],
      history: [],
    })
    expect(sessions.snapshot().sessions).toEqual([])
  })

  test("L18: why it is alive: each lease, turn, waiter and work in the background, with its age and last sign of life", async () => {
    const { clock, sessions } = world({ timeouts: { lease: 10_000, silence: 5000, queue: 60_000 } })
    const lease = await sessions.lease("a", { name: "socket" })
    await clock.advance(1000)
    lease.progress()
    void outcomeOf(
      sessions.run(
        "a",
        (_, task) => {
          task.background("upload", () => gate().promise)
          return clock.after(500).then(() => {
            task.progress("half way")
            return gate().promise
          })
        },
        { name: "query" },
      ),
    )
    await settle()
    void outcomeOf(sessions.run("a", serialOf, { name: "later" }))
    await clock.advance(500)
    const { alive, closesAt, state, tasks } = sessions.explain("a")
    expect([state, closesAt]).toEqual(["Ready", undefined])
    expect(alive.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { kind: "waiter", name: "later", since: 1000, progressAt: 1000, expiresAt: 61_000 },
      { kind: "turn", name: "query", since: 1000, progressAt: 1500, expiresAt: 6500 },
      { kind: "lease", name: "socket", since: 0, progressAt: 1000, expiresAt: 11_000 },
      { kind: "background", name: "upload", since: 1000, progressAt: 1000, expiresAt: 6000 },
    ])
    expect(tasks.map((task) => [task.name, task.state, task.waitsFor, task.behind, task.note])).toEqual([
      ["query", "running", undefined, 0, "half way"],
      ["upload", "running", undefined, 0, undefined],
      ["later", "queued", "turn", 1, undefined],
    ])
    for (const name of ["socket", "query", "later", "upload"])
      expect(String(sessions.explain("a"))).toContain(`"${name}"`)
  })

  test("L18: why a request waits, phase by phase, and what is ahead of it", async () => {
    const [opening, closing] = [gate(), gate()]
    const { clock, sessions } = world(
      { maxSessions: 1, restart: { delay: 3000 } },
      ({ key, serial, onClose }) => {
        if (serial === 1) return opening.promise
        if (key === "a" && serial === 2) onClose(() => closing.promise)
        return undefined
      },
    )
    const waits = (key: string): ReadonlyArray<unknown> =>
      sessions
        .explain(key)
        .tasks.flatMap((task) => (task.state === "queued" ? [task.name, task.waitsFor, task.behind] : []))
    const first = sessions.run("a", (_, task) => task.broken("dead"), { name: "first" })
    expect(waits("a")).toEqual(["first", "open", 0])
    void outcomeOf(sessions.run("b", serialOf, { name: "other" }))
    void outcomeOf(sessions.run("c", serialOf, { name: "third" }))
    expect([waits("b"), waits("c")]).toEqual([
      ["other", "seat", 0],
      ["third", "seat", 1],
    ])
    const again = sessions.run("a", (_, task) => task.broken("dead again"), { name: "again" })
    opening.open()
    await Promise.all([first, again])
    void outcomeOf(sessions.run("a", serialOf, { name: "next" }))
    expect(waits("a")).toEqual(["next", "restart", 0])
    expect(sessions.explain("a").state).toBe("Restarting")
    closing.open()
    await settle()
    expect(waits("a")).toEqual(["next", "backoff", 0])
    expect(sessions.explain("a")).toMatchObject({ state: "Backoff", restarts: { left: 3, nextAt: 2250 } })
    expect(String(sessions.explain("a"))).toContain("delay after a failed opening")
    await clock.advance(2250)
    expect(waits("a")).toEqual([])
  })

  test("L18: when it will close, and after that why it ended, from a bounded memory", async () => {
    const { clock, registry, sessions } = world({ idleTimeout: 1000 })
    await clock.advance(500)
    await sessions.run("a", serialOf)
    expect(sessions.explain("a")).toMatchObject({
      state: "Ready",
      alive: [],
      closesAt: 1500,
      ended: undefined,
    })
    expect(String(sessions.explain("a"))).toContain("Idle; closes in 1 s")
    await clock.advance(1000)
    expect(sessions.explain("a")).toMatchObject({ state: "Closed", ended: { at: 1500, reason: "Idle" } })
    expect(String(sessions.explain("a"))).toContain("Idle")
    await sessions.run("a", serialOf)
    expect(sessions.explain("a")).toMatchObject({ state: "Ready", ended: { reason: "Idle" } })
    for (let index = 0; index < 1500; index++) {
      await sessions.run(`k${index}`, serialOf)
      await sessions.close(`k${index}`)
    }
    expect(registry.ends.size).toBe(1000)
    expect(sessions.explain("k1499").ended?.reason).toBe("Requested")
    expect(sessions.explain("k0").ended).toBeUndefined()
  })

  test("L18: what is left of the restart budget; none while it is quarantined or on trial, all of it after good health", async () => {
    const { clock, sessions } = world({ restart: { times: 2, within: 60_000, quarantine: 1000, delay: 0 } })
    const lose = async (): Promise<void> => {
      await sessions.run("a", (_, task) => task.broken("dead"))
      await settle()
    }
    const left = (): number => sessions.explain("a").restarts.left
    const seen: Array<number> = []
    for (let loss = 0; loss < 3; loss++) {
      await lose()
      seen.push(left())
    }
    expect(seen).toEqual([1, 0, 0])
    expect(sessions.explain("a")).toMatchObject({ state: "Quarantined", restarts: { left: 0, nextAt: 1000 } })
    expect(sessions.explain("a").errors.at(-1)).toMatchObject({ error: "dead" })
    await clock.advance(1000)
    await sessions.run("a", serialOf)
    expect(left()).toBe(0)
    await clock.advance(10_000)
    expect(left()).toBe(2)
  })

  test("L18: the last few errors, oldest first, never more than a few", async () => {
    const { sessions } = world()
    for (let index = 0; index < 20; index++) {
      await outcomeOf(sessions.run("a", () => Promise.reject(new Error(`number ${index}`))))
    }
    const messages = sessions.explain("a").errors.map(({ error }) => (error as Error).message)
    expect(messages).toEqual(Array.from({ length: 8 }, (_, index) => `number ${index + 12}`))
  })

  test("L18: names that callers chose cannot steer a terminal", async () => {
    const { sessions } = world()
    const name = "\u001b[2J\u202eevil\nSession b is Ready"
    void outcomeOf(sessions.run("a", () => gate().promise, { name }))
    await settle()
    const words = String(sessions.explain("a"))
    expect(words).toContain("evil")
    expect(words).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })

  test("L18: each of what it does appears until it has really ended, told or not", async () => {
    const { clock, sessions } = world({ timeouts: { grace: 5000 } })
    const gone = new AbortController()
    const held = gate()
    const left = outcomeOf(sessions.run("a", () => held.promise, { name: "left", signal: gone.signal }))
    await settle()
    gone.abort(new Error("left"))
    await left
    await clock.advance(60_000)
    expect(sessions.explain("a").tasks.map((task) => [task.name, task.state])).toEqual([
      ["left", "cancelled"],
    ])
    expect(sessions.explain("a").alive.length).toBe(1)
    held.open()
    await settle()
    expect(sessions.explain("a")).toMatchObject({ tasks: [], alive: [] })
  })

  test("L18: Closing, Restarting and Closed read as what they are, and a snapshot counts the same", async () => {
    const closing = gate()
    const { sessions } = world({}, ({ onClose }) => onClose(() => closing.promise))
    for (const key of ["a", "b", "c"]) await sessions.run(key, serialOf)
    void sessions.close("a")
    void sessions.restart("b")
    void outcomeOf(sessions.run("b", (_, { signal }) => stopped(signal)))
    await settle()
    expect(["a", "b", "c", "d"].map((key) => sessions.explain(key).state)).toEqual([
      "Closing",
      "Restarting",
      "Ready",
      "Closed",
    ])
    expect(sessions.snapshot().counts).toMatchObject({
      Closing: 1,
      Restarting: 1,
      Ready: 1,
      Closed: 0,
      queued: 1,
    })
    const rows = sessions.snapshot({ limit: 2 })
    expect([rows.sessions.length, rows.more, rows.sessions[0]?.session.key]).toEqual([2, 1, "b"])
    closing.open()
  })
})
