/** Which sessions are noted for those who watch, on each face; and that nothing is noted for nobody. */
import { describe, expect, test } from "vitest"
import { inspectionOf } from "../../src/inspect.ts"
import type { SessionChanges } from "../../src/observe/Inspection.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"
import { registryOf } from "../warnings/support.ts"

const taken = (changes: SessionChanges, others?: number): ReadonlyArray<string> => {
  const keys: Array<string> = []
  changes.take((session, changed) => keys.push(changed ? session.key : `(${session.key})`), others)
  return keys
}

describe.each(faces)("$face", ({ world }) => {
  const begin = (...setup: Parameters<typeof world>) => {
    const w = world(...setup)
    const inspection = inspectionOf(registryOf(w))
    if (inspection === undefined) throw new Error("nothing to inspect")
    return { ...w, inspection }
  }

  test("L16: each use once until it is taken, and what was there before once, a few at a time", async () => {
    const w = begin()
    for (const key of ["a", "b", "c", "d"]) await w.sessions.run(key, () => 1)
    expect(w.registry.changes).toBeUndefined()
    using changes = w.inspection.watchChanges()
    await w.sessions.run("b", () => 1)
    await w.sessions.run("b", () => 1)
    await w.sessions.run("e", () => 1)
    expect(taken(changes, 2)).toEqual(["b", "e", "(a)", "(b)"])
    expect(taken(changes, 1)).toEqual(["(c)"])
    await w.sessions.run("a", () => 1)
    expect(taken(changes)).toEqual(["a", "(d)"])
    expect(taken(changes)).toEqual([])
  })

  test("L16: hand-ins, background work, being told to stop, and every change of state are noted; progress and ends are not", async () => {
    const w = begin({ idleTimeout: 5000, restart: { delay: 0 } })
    using changes = w.inspection.watchChanges()
    const [held, late] = [gate(), gate()]
    const gone = new AbortController()
    let progress = (): void => {}
    let background = (): unknown => undefined
    void watch(
      w.clock,
      w.sessions.run(
        "a",
        async (_, task) => {
          progress = () => task.progress()
          background = () => task.background("more", () => late.promise)
          await held.promise
        },
        { signal: gone.signal },
      ),
    )
    await settle()
    expect(taken(changes)).toEqual(["a"])
    progress()
    expect(taken(changes)).toEqual([])
    background()
    expect(taken(changes)).toEqual(["a"])
    gone.abort(new Error("gone"))
    await settle()
    expect(taken(changes)).toEqual(["a"])
    held.open()
    late.open()
    await w.clock.advance(1000)
    expect(taken(changes)).toEqual([])
    await w.clock.advance(5000)
    expect([taken(changes), w.sessions.explain("a").state]).toEqual([["a"], "Closed"])
    void watch(
      w.clock,
      w.sessions.run("a", (_, task) => task.broken(new Error("lost"))),
    )
    await w.clock.advance(100)
    expect(taken(changes)).toEqual(["a"])
  })

  test("L16: each of those who watch sees all of it, whoever takes first, and the last to end leaves nothing", async () => {
    const w = begin()
    const one = w.inspection.watchChanges()
    await w.sessions.run("a", () => 1)
    const two = w.inspection.watchChanges()
    expect(taken(one)).toEqual(["a"])
    await w.sessions.run("a", () => 1)
    expect(taken(two)).toEqual(["a", "(a)"])
    expect(taken(one)).toEqual(["a"])
    await w.sessions.run("a", () => 1)
    one[Symbol.dispose]()
    expect([taken(one), taken(two)]).toEqual([[], ["a"]])
    await w.sessions.run("a", () => 1)
    two[Symbol.dispose]()
    expect([w.registry.changes, taken(two)]).toEqual([undefined, []])
    await w.sessions.run("a", () => 1)
    // Noted for one who is gone, it is seen by the next all the same.
    using three = w.inspection.watchChanges()
    await w.sessions.run("a", () => 1)
    expect(taken(three).filter((key) => key === "a" || key === "(a)").length).toBeGreaterThan(0)
    await w.sessions.run("a", () => 1)
    expect(taken(three)).toEqual(["a"])
  })

  test("L26: sessions that came and went are told once, and are not kept afterwards", async () => {
    const w = begin({ idleTimeout: 0 })
    using changes = w.inspection.watchChanges()
    for (let n = 0; n < 3; n++) {
      await w.sessions.run("a", () => 1)
      await w.clock.advance(10)
    }
    const states: Array<string> = []
    changes.take((session) => states.push(session.state))
    expect(states).toEqual(["Closed", "Closed", "Closed"])
    expect(taken(changes)).toEqual([])
  })
})
