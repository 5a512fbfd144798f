import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  test("L20, L6: 50 000 queued tasks that end at once do not overflow the stack and keep their order", async () => {
    const { sessions } = world({ maxQueued: 60_000 })
    let next = 0
    let outOfOrder = 0
    const runs = Array.from({ length: 50_000 }, (_, n) =>
      sessions.run("a", () => {
        if (next !== n) outOfOrder++
        next = n + 1
      }),
    )
    await Promise.all(runs)
    expect([next, outOfOrder]).toEqual([50_000, 0])
  })

  test("L20: a task whose first line closes, restarts, breaks, cancels and runs leaves everything in order", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const seen: Array<Watched> = []
    const first = watch(
      clock,
      sessions.run("a", ({ opening, serial }) => {
        seen.push(watch(clock, sessions.close("a")), watch(clock, sessions.restart("a")))
        seen.push(
          watch(
            clock,
            sessions.run("b", (thing) => thing.key),
          ),
        )
        opening.broken(new Error("broken"))
        seen.push(watch(clock, sessions.cancel("c")))
        return serial
      }),
    )
    const second = watch(
      clock,
      sessions.run("a", ({ serial }) => serial),
    )
    await clock.advance(100)
    expect([first.outcome, second.outcome]).toEqual(["value 1", "value 3"])
    expect(seen.map((one) => one.outcome)).toEqual([
      "SessionMisuse ReentrantClose",
      "SessionMisuse ReentrantClose",
      "value b",
      "value 0",
    ])
    await expectNothingLeft(it)
  })

  test("L20: who is called back while others are told sees a committed state", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const seen: Array<string> = []
    const run = watch(
      clock,
      sessions.run("a", async (_, { signal }) => {
        signal.addEventListener("abort", () => {
          seen.push(sessions.explain("a").state)
          // Handed in from inside the abort: it is for the next life.
          void sessions.run("a", ({ serial }) => seen.push(`ran on ${serial}`), { detach: true })
        })
        await clock.after(100)
        throw new Error("stopped")
      }),
    )
    await settle()
    void sessions.close("a")
    await clock.advance(200)
    expect(run.outcome).toBe("TaskStopped Closed")
    expect(seen).toEqual(["Closing", "ran on 2"])
    await expectNothingLeft(it)
  })

  test("L20, L16: a listener that calls back in is outside of every step", async () => {
    const it = world({ timeouts })
    const { clock, sessions } = it
    const seen: Array<string> = []
    sessions.subscribe((event) => {
      if (event._tag !== "Opened" || event.session.key !== "a") return
      seen.push(sessions.explain("a").state)
      void sessions.run("b", () => seen.push("ran in b"))
      void sessions.close("a")
    })
    const run = watch(
      clock,
      sessions.run("a", () => clock.after(10)),
    )
    await clock.advance(100)
    expect(seen).toEqual(["Ready", "ran in b"])
    expect(run.outcome).toMatch(/^(TaskStopped Closed|value undefined)$/)
    await expectNothingLeft(it)
  })

  test("L20, L23: in one tick a cancel, a timeout and a loss end a turn in the same way, whatever came first", async () => {
    for (const order of ["cancel first", "loss first"]) {
      const it = world({ timeouts })
      const { clock, sessions } = it
      const gone = new AbortController()
      const losers: Array<() => void> = []
      const run = watch(
        clock,
        sessions.run(
          "a",
          async ({ opening }) => {
            losers.push(() => opening.broken(new Error("lost")))
            await clock.after(500)
            throw new Error("stopped")
          },
          { signal: gone.signal, timeout: 200 },
        ),
      )
      await clock.advance(199)
      const both = [() => gone.abort(new Error("gone")), () => losers[0]?.()]
      void clock
        .after(1)
        .then(() => (order === "cancel first" ? both : both.toReversed()).forEach((each) => each()))
      await clock.advance(1)
      // The timeout is due in that tick; the caller's cancel comes after it in it.
      expect([run.outcome, run.at]).toEqual(["TaskStopped Timeout", 200])
      await clock.advance(500)
      await expectNothingLeft(it)
    }
  })
})
