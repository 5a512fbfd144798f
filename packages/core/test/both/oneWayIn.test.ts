import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L2: a lease gives no resource; its work goes through run, and ends with its generation", async () => {
    const { clock, sessions } = world()
    const lease = await sessions.lease("a")
    expect(
      Object.values(lease).some((value) => typeof value === "object" && value !== null && "opening" in value),
    ).toBe(false)
    expect(await lease.run((thing) => thing.serial)).toBe(1)
    expect(lease.signal.aborted).toBe(false)
    await sessions.restart("a")
    expect(lease.signal.aborted).toBe(true)
    const late = watch(
      clock,
      lease.run((thing) => thing.serial),
    )
    await settle()
    expect(late.outcome).toBe("SessionRefused LeaseEnded")
    expect(sessions.explain("a").state).toBe("Closed")
    expect(await sessions.run("a", (thing) => thing.serial)).toBe(2)
    const later = watch(
      clock,
      lease.run((thing) => thing.serial),
    )
    await settle()
    expect(later.outcome).toBe("SessionRefused LeaseEnded")
  })

  test("L2: work queued through a lease is refused when its generation goes, and never meets the next one", async () => {
    const { clock, ledger, sessions } = world()
    const lease = await sessions.lease("a")
    const seen: Array<number> = []
    const ends = gate()
    const first = watch(
      clock,
      sessions.run("a", () => ends.promise),
    )
    const bound = watch(
      clock,
      lease.run((thing) => seen.push(thing.serial)),
    )
    const free = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    const restarted = watch(clock, sessions.restart("a"))
    await settle()
    expect(bound.outcome).toBe("SessionRefused LeaseEnded")
    expect(first.outcome).toBe("pending")
    ends.open()
    await clock.advance(0)
    expect(restarted.outcome).toContain("value")
    expect(free.outcome).toBe("value 2")
    expect(seen).toEqual([])
    expect(ledger.mostOfOneKey).toBe(1)
  })

  test("L2, L18: run and a lease's run are in explain until they have really ended, told to stop or not", async () => {
    const ends = gate()
    const { clock, sessions } = world({ concurrency: 2 })
    const lease = await sessions.lease("a", { name: "tab" })
    const leaves = new AbortController()
    const { signal } = leaves
    const calls = [
      watch(
        clock,
        sessions.run("a", () => ends.promise, { name: "turn", signal }),
      ),
      watch(
        clock,
        lease.run(() => ends.promise, { name: "leased", signal }),
      ),
    ]
    const shown = (): ReadonlyArray<string> =>
      sessions
        .explain("a")
        .tasks.map((task) => task.name)
        .toSorted()
    await settle()
    expect(shown()).toEqual(["leased", "turn"])
    leaves.abort(new Error("gone"))
    await settle()
    expect(calls.map((call) => call.outcome)).toEqual(["error gone", "error gone"])
    expect(shown()).toEqual(["leased", "turn"])
    expect(sessions.explain("a").closesAt).toBeUndefined()
    ends.open()
    await settle()
    expect(shown()).toEqual([])
    expect(sessions.explain("a").alive.map((held) => held.kind)).toEqual(["lease"])
    await lease.release()
    expect(sessions.explain("a").alive).toEqual([])
  })

  test("L2, L18: queued work is shown from its hand-in, with what it waits for and how many are ahead", async () => {
    const opens = gate()
    const { sessions } = world({}, () => opens.promise)
    const ends = gate()
    const calls = ["one", "two", "three"].map((name) => sessions.run("a", () => ends.promise, { name }))
    expect(sessions.explain("a").tasks.map((task) => [task.name, task.waitsFor, task.behind])).toEqual([
      ["one", "open", 0],
      ["two", "open", 1],
      ["three", "open", 2],
    ])
    opens.open()
    await settle()
    expect(
      sessions.explain("a").tasks.map((task) => [task.name, task.state, task.waitsFor, task.behind]),
    ).toEqual([
      ["one", "running", undefined, 0],
      ["two", "queued", "turn", 1],
      ["three", "queued", "turn", 2],
    ])
    ends.open()
    await Promise.all(calls)
    expect(sessions.explain("a").tasks).toEqual([])
  })
})
