import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  test("L24: task.close() ends the session after this turn: its value is given, what waits is refused, the next use opens", async () => {
    const it = world({ timeouts })
    const { clock, ledger, sessions } = it
    const first = watch(
      clock,
      sessions.run("a", async (_, { close }) => {
        close()
        await clock.after(100)
        ledger.lines.push("still in the turn")
        return "its own value"
      }),
    )
    const waits = watch(
      clock,
      sessions.run("a", () => 2),
    )
    await clock.advance(99)
    expect([first.outcome, waits.outcome]).toEqual(["pending", "pending"])
    await clock.advance(1)
    expect([first.outcome, waits.outcome]).toEqual(["value its own value", "SessionRefused Closed"])
    expect(ledger.lines).toEqual(["open a#1", "still in the turn", "release a#1"])
    expect(sessions.explain("a").ended?.reason).toBe("Requested")
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(2)
    await expectNothingLeft(it)
  })

  test("L24, L12: task.restart() replaces the generation after this turn, and what waits moves on", async () => {
    const { clock, ledger, sessions } = world({ timeouts })
    const first = watch(
      clock,
      sessions.run("a", async (_, { restart }) => {
        restart()
        await clock.after(100)
        return "its own value"
      }),
    )
    const waits = watch(
      clock,
      sessions.run("a", ({ serial }) => serial),
    )
    await clock.advance(100)
    expect([first.outcome, waits.outcome]).toEqual(["value its own value", "value 2"])
    expect(ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
    expect(sessions.explain("a").ended?.reason).toBe("Restarted")
  })

  test("L24: it is carried out when the turn fails, and when its caller has left, all the same", async () => {
    const { clock, sessions, story } = world({ timeouts })
    const gone = new AbortController()
    const failed = watch(
      clock,
      sessions.run("a", (_, { close }) => {
        close()
        throw new Error("its own")
      }),
    )
    await clock.advance(0)
    expect(failed.outcome).toBe("error its own")
    expect(story().at(-1)).toBe("Closed Requested")
    const left = watch(
      clock,
      sessions.run(
        "a",
        async (_, { restart }) => {
          restart()
          await clock.after(100)
        },
        { signal: gone.signal },
      ),
    )
    await clock.advance(50)
    gone.abort(new Error("gone"))
    await clock.advance(50)
    expect(left.outcome).toBe("error gone")
    expect(story().at(-1)).toBe("Closed Restarted")
  })

  test("L24, L5: with concurrency 2 the other turn is told to stop then, not before", async () => {
    const { clock, sessions } = world({ timeouts, concurrency: 2 })
    const other = watch(
      clock,
      sessions.run("a", async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve))
        throw new Error(`told at ${clock.now}`)
      }),
    )
    await settle()
    const closing = watch(
      clock,
      sessions.run("a", async (_, { close }) => {
        close()
        await clock.after(200)
      }),
    )
    await clock.advance(1000)
    expect([closing.outcome, closing.at]).toEqual(["value undefined", 200])
    expect([other.outcome, other.at]).toEqual(["TaskStopped Closed", 200])
  })
})
