import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { losing, type Losing } from "../support/losing.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = losing(world)

  test("L11, L12: a lost generation is replaced for those who wait; the finder keeps its outcome, the others are stopped", async () => {
    const w = make({ concurrency: 2 })
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
    const { clock, lose, story, use } = make()
    await lose()
    await clock.advance(60_000)
    expect(story().at(-1)).toBe("Closed Broken")
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 2")
  })

  test("L11, L21: broken twice counts once, and from an older generation not at all", async () => {
    const w: Losing = make({ restart: { times: 2 } }, ({ onClose }) => onClose(() => w.clock.after(1)))
    const { clock, sessions, story, use } = w
    const seen: Array<Thing> = []
    await sessions.run("a", (thing) => void seen.push(thing))
    seen[0]?.opening.broken()
    seen[0]?.opening.broken()
    await settle()
    seen[0]?.opening.broken()
    await clock.advance(1)
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 2")
    seen[0]?.opening.broken()
    seen[0]?.opening.end()
    await clock.advance(0)
    expect(sessions.explain("a")).toMatchObject({ state: "Ready", restarts: { left: 1 } })
    expect(story().filter((tag) => tag === "Lost")).toHaveLength(1)
  })

  test("L21: numbers begin again when a key is forgotten: an old generation of the same number is fenced all the same", async () => {
    const { clock, sessions, story } = make()
    const seen: Array<Thing> = []
    for (let life = 0; life < 2; life++) {
      await sessions.run("a", (thing) => void seen.push(thing))
      if (life === 0) await sessions.close("a")
    }
    expect(seen.map((thing) => thing.opening.generation)).toEqual([1, 1])
    seen[0]?.opening.broken()
    seen[0]?.opening.end()
    await clock.advance(0)
    expect(sessions.explain("a").state).toBe("Ready")
    expect(story()).not.toContain("Lost")
  })

  test("L11: the first loss is rebuilt at once, the next ones after a delay that doubles", async () => {
    const { clock, lose, use } = make()
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
})
