import { describe, expect, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { openWith, release } from "../support/openWith.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch, type Watched } from "../support/watch.ts"

describe("use and onClose", () => {
  test("L4: what was used is released in reverse order of its arrival, between the finalizers; then told why", async () => {
    const w = openWith(async ({ onClose, use }, note) => {
      onClose((reason) => note(`first ${reason}`))
      const slow = use(
        w.clock.after(10).then(() => "slow"),
        release(note),
      )
      await use("quick", release(note))
      await slow
      onClose((reason) => note(`last ${reason}`))
      return "resource"
    })
    const { clock, lines, sessions } = w
    const call = watch(
      clock,
      sessions.run("a", (resource) => resource),
    )
    await clock.advance(10)
    expect(call.outcome).toBe("value resource")
    await sessions.close("a")
    expect(lines).toEqual([
      "last Requested at 10",
      "slow released Requested at 10",
      "quick released Requested at 10",
      "first Requested at 10",
    ])
  })

  test("L4: disposables need no release; what is neither is refused and fails the open", async () => {
    const { lines, sessions } = openWith(async ({ key, use }, note) => {
      await use({ [Symbol.dispose]: () => note("dispose") })
      await use({ [Symbol.asyncDispose]: async () => note("async") })
      if (key === "b") await use(5 as unknown as Disposable)
    })
    await sessions.run("a", () => 1)
    await sessions.close("a")
    expect(lines).toEqual(["async at 0", "dispose at 0"])
    await expect(sessions.run("b", () => 1)).rejects.toMatchObject({
      _tag: "SessionOpenFailed",
      cause: expect.any(TypeError),
    })
    expect(lines).toEqual(["async at 0", "dispose at 0", "async at 0", "dispose at 0"])
  })

  test("L4: a resource that never came is not released; use rejects with its own error", async () => {
    const broken = new Error("no page")
    const { lines, sessions } = openWith(async ({ use }, note) => {
      await use("browser", release(note))
      await use(Promise.reject<string>(broken), release(note))
    })
    await expect(sessions.run("a", () => 1)).rejects.toMatchObject({ cause: broken })
    expect(lines).toEqual(["browser released OpenFailed at 0"])
  })

  test("L4, L21: used in an opening that was given up: released before the next open, and use rejects with the reason", async () => {
    const uses: Array<Watched> = []
    const w = openWith(async ({ serial, signal, use }, note) => {
      note(`open ${serial}`)
      if (serial !== 1) return serial
      await w.clock.after(100)
      expect(signal.aborted).toBe(true)
      uses.push(watch(w.clock, use("late", release(note))))
      await w.clock.after(100)
      return serial
    })
    const { clock, lines, sessions } = w
    const leaves = watch(
      clock,
      sessions.run("a", () => 1, { timeout: 50 }),
    )
    await clock.advance(50)
    expect(leaves.outcome).toBe("TaskStopped Timeout")
    const next = watch(
      clock,
      sessions.run("a", (serial) => serial),
    )
    await clock.advance(150)
    expect(uses[0]?.outcome).toBe("SessionRefused Closed")
    expect(next.outcome).toBe("value 2")
    expect(lines).toEqual(["open 1 at 0", "late released OpenCancelled at 200", "open 2 at 200"])
  })

  test("L4, L21: used, or registered, after the close: released at once", async () => {
    const openings: Array<Opening> = []
    const { clock, lines, sessions } = openWith((opening, note) => {
      openings.push(opening)
      return note
    })
    await sessions.run("a", () => 1)
    await sessions.close("a")
    await clock.advance(100)
    const [opening] = openings
    if (opening === undefined) throw new Error("not opened")
    const notes: Array<string> = []
    const late = watch(
      clock,
      opening.use(
        "late",
        release((line) => notes.push(line)),
      ),
    )
    opening.onClose((reason) => notes.push(`finalizer ${reason}`))
    expect(notes).toEqual(["finalizer Requested"])
    await settle()
    expect(notes).toEqual(["finalizer Requested", "late released Requested"])
    expect(late.outcome).toBe("SessionRefused Closed")
    expect(late.error).toBe(opening.signal.reason)
    expect(lines).toEqual([])
  })

  test("L4: used in a turn it belongs to the session, and outlives the turn", async () => {
    const w = openWith((opening) => opening)
    const { clock, sessions } = w
    const notes: Array<string> = []
    await sessions.run("a", async (opening) =>
      (opening as Opening).use(
        "page",
        release((line) => notes.push(line)),
      ),
    )
    await clock.advance(1000)
    expect(notes).toEqual([])
    await sessions.close("a")
    expect(notes).toEqual(["page released Requested"])
  })

  test("L20: an open and finalizers that are plain functions, one of which throws: all in one tick", async () => {
    const w = openWith(({ onClose }, note) => {
      onClose(() => note("first"))
      onClose(() => {
        throw new Error("bad")
      })
      return "resource"
    })
    expect(await w.sessions.run("a", (resource) => resource)).toBe("resource")
    const report = await w.sessions.close("a")
    expect(report).toMatchObject({ leaked: false, errors: [new Error("bad")] })
    expect(w.lines).toEqual(["first at 0"])
  })
})
