import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

type Policy = Parameters<(typeof faces)[number]["world"]>[0]

describe.each(faces)("$face", ({ world }) => {
  const serial = (thing: Thing): number => thing.serial
  /** A world with words for what these laws are about. */
  const losing = (policy?: Policy, before?: Parameters<typeof world>[1]) => {
    const w: World<Thing> = world(policy, before)
    const { clock, sessions } = w
    const use = (key = "a"): Watched => watch(clock, sessions.run(key, serial))
    /** Uses the key and declares what it used broken, until it is gone. */
    const lose = async (key = "a", wait = 100): Promise<Watched> => {
      const call = watch(
        clock,
        sessions.run(key, (thing) => thing.opening.broken(new Error("lost"))),
      )
      await clock.advance(wait)
      return call
    }
    return { ...w, use, lose }
  }

  test("L11, L12: a lost generation is replaced for those who wait; the finder keeps its outcome, the others are stopped", async () => {
    const w = losing({ concurrency: 2 })
    const { clock, ledger, sessions, story, use } = w
    const other = watch(
      clock,
      sessions.run(
        "a",
        (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", reject)),
      ),
    )
    const finds = gate()
    const finder = watch(
      clock,
      sessions.run("a", async (_, task) => {
        await finds.promise
        task.broken(new Error("gone"))
        return "found"
      }),
    )
    await settle()
    const queued = use()
    finds.open()
    await clock.advance(0)
    expect(finder.outcome).toBe("value found")
    expect(other.outcome).toBe("TaskStopped Broken")
    expect(fieldOf(other, "started")).toBe(true)
    expect(queued).toMatchObject({ outcome: "value 2", at: 0 })
    expect(ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
    expect(story()).toEqual([
      "Opening",
      "Opened",
      "Lost",
      "Closing Broken",
      "Closed Broken",
      "Opening",
      "Opened",
    ])
    await expectNothingLeft(w)
  })

  test("L11: nobody waits, so it is not rebuilt before the next use", async () => {
    const { clock, lose, story, use } = losing()
    await lose()
    await clock.advance(60_000)
    expect(story().at(-1)).toBe("Closed Broken")
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 2")
  })

  test("L11, L21: broken twice counts once, and from an older generation not at all", async () => {
    const { clock, sessions, story, use } = losing({ restart: { times: 1 } })
    const seen: Array<Thing> = []
    await sessions.run("a", (thing) => void seen.push(thing))
    seen[0]?.opening.broken()
    seen[0]?.opening.broken()
    await clock.advance(0)
    expect(sessions.explain("a").restarts.left).toBe(0)
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 2")
    seen[0]?.opening.broken()
    seen[0]?.opening.end()
    await clock.advance(0)
    expect(sessions.explain("a").state).toBe("Ready")
    expect(story().filter((tag) => tag === "Lost")).toHaveLength(1)
  })

  test("L11: the first loss is rebuilt at once, the next ones after a delay that doubles", async () => {
    const { clock, lose, use } = losing()
    const waits: Array<number> = []
    for (let round = 0; round < 4; round++) {
      await lose("a", 0)
      const since = clock.now
      const next = use()
      await clock.advance(2000)
      expect(next.outcome).toBe(`value ${round + 2}`)
      waits.push(next.at - since)
    }
    // Three quarters of it: the middle of the jitter's range.
    expect(waits).toEqual([0, 75, 150, 300])
  })

  test("L11: times + 1 losses quarantine the key alone; who waits and who comes is told when to try again", async () => {
    const w = losing({ restart: { times: 2 } })
    const { clock, lose, sessions, story, use } = w
    await lose()
    await lose()
    const finds = gate()
    const finder = watch(
      clock,
      sessions.run("a", (thing) => finds.promise.then(() => thing.opening.broken())),
    )
    await clock.advance(1000)
    const queued = [use(), use()]
    finds.open()
    await clock.advance(0)
    expect(finder.outcome).toBe("value undefined")
    for (const call of queued) expect(call.outcome).toBe("SessionRefused Quarantined")
    expect(sessions.explain("a")).toMatchObject({ state: "Quarantined", ended: { reason: "RestartLimit" } })
    await clock.advance(10_000)
    const late = use()
    const other = use("b")
    await clock.advance(0)
    expect(late.outcome).toBe("SessionRefused Quarantined")
    expect(fieldOf(late, "retryAfter")).toBe(20_000)
    expect(other.outcome).toContain("value")
    expect(story().filter((tag) => tag.startsWith("Quarantined"))).toHaveLength(1)
    await expectNothingLeft(w)
  })

  test("L11, L1: after the cool-down one trial is shared by all; lost again, the quarantine is twice as long", async () => {
    const w = losing({ restart: { times: 0 } }, () => w.clock.after(50))
    const { clock, lose, sessions, story, use } = w
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")
    // It began 50 ms ago: the open took as long.
    await clock.advance(29_949)
    expect(use()).toBeDefined()
    await clock.advance(0)
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(1)
    await clock.advance(1)
    const trials = [use(), use(), use()]
    await clock.advance(50)
    for (const call of trials) expect(call.outcome).toBe("value 2")
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(2)
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")
    const late = use()
    await clock.advance(0)
    expect(fieldOf(late, "retryAfter")).toBe(60_000 - 100)
  })

  test("L11: a trial that lives for a sixth of within clears everything; one that fails to open quarantines again", async () => {
    const w = losing({ restart: { times: 0, within: 6000 } }, ({ serial: number }) => {
      if (number === 2) throw new Error("no database")
    })
    const { clock, lose, sessions, use } = w
    await lose()
    await clock.advance(30_000)
    const fails = [use(), use()]
    await clock.advance(0)
    for (const call of fails) expect(call.outcome).toBe("SessionOpenFailed Failed")
    expect(sessions.explain("a").state).toBe("Quarantined")
    const late = use()
    await clock.advance(0)
    expect(late.outcome).toBe("SessionRefused Quarantined")
    expect(fieldOf(late, "retryAfter")).toBe(60_000)
    await clock.advance(60_000)
    const trial = use()
    await clock.advance(1000)
    expect(trial.outcome).toBe("value 3")
    await lose()
    const again = use()
    await clock.advance(0)
    // A first quarantine again, not the third in a row.
    expect(fieldOf(again, "retryAfter")).toBeLessThanOrEqual(30_000)
  })

  test("L11: an idle close between losses hides nothing, good health does, and so does time", async () => {
    const { clock, lose, sessions, story, use } = losing({ restart: { times: 1 }, idleTimeout: 1000 })
    await lose()
    const idles = use()
    await clock.advance(1000)
    expect(idles.outcome).toBe("value 2")
    expect(sessions.explain("a").state).toBe("Closed")
    expect(sessions.explain("a").restarts.left).toBe(0)
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")

    await lose("b")
    const lease = await sessions.lease("b")
    await clock.advance(10_000)
    await lease.release()
    await lose("b")
    expect(sessions.explain("b").state).toBe("Closed")

    await lose("c")
    await clock.advance(60_100)
    await lose("c")
    expect(sessions.explain("c").state).toBe("Closed")
    expect(story().filter((tag) => tag.startsWith("Quarantined"))).toHaveLength(1)
  })

  test("L11, L24: an operator's restart counts for nothing, and lifts a quarantine; a close leaves it", async () => {
    const { clock, lose, sessions, use } = losing({ restart: { times: 0 } })
    for (let round = 0; round < 3; round++) {
      await sessions.run("a", serial)
      await sessions.restart("a")
    }
    expect(sessions.explain("a").state).toBe("Closed")
    await lose()
    expect(await sessions.close("a")).toBeUndefined()
    expect(sessions.explain("a").state).toBe("Quarantined")
    expect(await sessions.restart("a")).toBeUndefined()
    expect(sessions.explain("a").state).toBe("Closed")
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toContain("value")
  })

  test("L11: a trial whose last waiter leaves decides nothing: the next use is the trial", async () => {
    const held = gate()
    const { clock, lose, sessions, story, use } = losing({ restart: { times: 0 } }, ({ serial: number }) =>
      number === 2 ? held.promise : undefined,
    )
    await lose()
    await clock.advance(30_000)
    const leaves = watch(clock, sessions.run("a", serial, { timeout: 10 }))
    await clock.advance(10)
    expect(leaves.outcome).toBe("TaskStopped Timeout")
    held.open()
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 3")
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")
    expect(story().filter((tag) => tag.startsWith("Quarantined"))).toHaveLength(2)
  })
})
