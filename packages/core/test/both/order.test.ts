import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L6: turns run one at a time, in the order of their calls, with options or without", async () => {
    const { clock, sessions } = world()
    const lines: Array<string> = []
    const turn = (n: number) => async (): Promise<number> => {
      lines.push(`begin ${n}`)
      await clock.after(50 - 10 * n)
      lines.push(`end ${n}`)
      return n
    }
    const runs = [
      sessions.run("a", turn(1)),
      sessions.run("a", turn(2), { name: "second" }),
      sessions.at("a").run(turn(3)),
      sessions.run("a", turn(4)),
    ]
    await clock.advance(200)
    expect(await Promise.all(runs)).toEqual([1, 2, 3, 4])
    expect(lines).toEqual([1, 2, 3, 4].flatMap((n) => [`begin ${n}`, `end ${n}`]))
  })

  test("L6: a turn that throws gives its slot to the next one", async () => {
    const { sessions } = world()
    const boom = new Error("boom")
    const first = sessions.run("a", () => Promise.reject(boom))
    const second = sessions.run("a", () => "ran")
    await expect(first).rejects.toBe(boom)
    expect(await second).toBe("ran")
  })

  test("L6: sessions do not wait for each other", async () => {
    const { sessions } = world()
    const held = gate()
    const a = sessions.run("a", () => held.promise)
    expect(await sessions.run("b", (thing) => thing.key)).toBe("b")
    held.open()
    await a
  })

  test("L6: with concurrency 3 at most three turns overlap, and they start in order", async () => {
    const { clock, sessions } = world({ concurrency: 3 })
    const starts: Array<number> = []
    let [now, most] = [0, 0]
    const runs = Array.from({ length: 9 }, (_, n) =>
      sessions.run("a", async () => {
        starts.push(n)
        most = Math.max(most, ++now)
        await clock.after(n === 0 ? 100 : 10)
        now--
      }),
    )
    await clock.advance(15)
    // 0 still runs; 1 and 2 have made room for 3 and 4.
    expect(starts).toEqual([0, 1, 2, 3, 4])
    await clock.advance(200)
    await Promise.all(runs)
    expect(starts).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(most).toBe(3)
  })

  test("L6, L12: the order is kept across a restart, and who comes during it is last", async () => {
    const { clock, sessions } = world()
    const held = gate()
    const ran: Array<string> = []
    const first = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    await settle()
    const turn = (name: string): Promise<number> =>
      sessions.run("a", (thing) => {
        ran.push(`${name} on ${thing.serial}`)
        return thing.serial
      })
    const before = [turn("second"), turn("third")]
    const restarted = sessions.restart("a")
    const after = turn("fourth")
    held.fail(new Error("told to stop"))
    await clock.advance(0)
    expect((await restarted)?.reason).toBe("Restarted")
    expect(first.outcome).toBe("TaskStopped Restarted")
    expect(await Promise.all([...before, after])).toEqual([2, 2, 2])
    expect(ran).toEqual(["second on 2", "third on 2", "fourth on 2"])
  })

  test("L6: a queued turn that is cancelled leaves the others in order", async () => {
    const { clock, sessions } = world()
    const held = gate()
    const ran: Array<number> = []
    const gone = new AbortController()
    const runs = [0, 1, 2, 3].map((n) =>
      watch(
        clock,
        sessions.run(
          "a",
          () => (n === 0 ? held.promise : void ran.push(n)),
          n === 2 ? { signal: gone.signal } : {},
        ),
      ),
    )
    await settle()
    gone.abort(new Error("gone"))
    held.open()
    await clock.advance(0)
    expect(runs.map((run) => run.outcome)).toEqual([
      "value undefined",
      "value undefined",
      "error gone",
      "value undefined",
    ])
    expect(ran).toEqual([1, 3])
  })
})
