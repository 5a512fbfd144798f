import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  test("L22: a call is stopped when its caller is told to stop, down the whole chain", async () => {
    const { clock, sessions } = world({ timeouts })
    const aborted: Array<string> = []
    const gone = new AbortController()
    const run = watch(
      clock,
      sessions.run(
        "a",
        () =>
          sessions.run("b", (_, { signal }) => {
            signal.addEventListener("abort", () => aborted.push("b"))
            return sessions.run("c", async (__, inner) => {
              inner.signal.addEventListener("abort", () => aborted.push("c"))
              await clock.after(500)
              throw new Error("ended")
            })
          }),
        { signal: gone.signal },
      ),
    )
    await clock.advance(100)
    gone.abort(new Error("gone"))
    await clock.advance(0)
    expect(run.outcome).toBe("error gone")
    expect(aborted).toEqual(["b", "c"])
    await clock.advance(1000)
    expect(sessions.snapshot().counts.running).toBe(0)
  })

  test("L22: the nested call's caller sees CallerStopped; one that still waits is never started", async () => {
    const { clock, sessions } = world({ timeouts })
    const seen: Array<unknown> = []
    const held = gate()
    const busy = sessions.run("b", () => held.promise)
    await settle()
    const run = watch(
      clock,
      sessions.run("a", async () => {
        const calls = [sessions.run("b", () => seen.push("ran")), sessions.run("c", () => clock.after(100))]
        for (const outcome of await Promise.allSettled(calls)) {
          if (outcome.status === "rejected") seen.push([outcome.reason.reason, outcome.reason.started])
        }
        throw new Error("stopped")
      }),
    )
    await clock.advance(10)
    void sessions.close("a")
    await clock.advance(500)
    expect(run.outcome).toBe("TaskStopped Closed")
    expect(seen).toEqual([
      ["CallerStopped", false],
      ["CallerStopped", true],
    ])
    held.open()
    await busy
    await clock.advance(0)
    expect(seen).toHaveLength(2)
  })

  test("L22: a caller that simply returns leaves its calls alone", async () => {
    const { clock, sessions } = world({ timeouts })
    const left: Array<Promise<unknown>> = []
    await sessions.run("a", () => {
      left.push(sessions.run("b", () => clock.after(100).then(() => "undisturbed")))
    })
    await clock.advance(200)
    expect(await Promise.all(left)).toEqual(["undisturbed"])
  })

  test("L22: `detach` begins a chain of its own: it is not stopped with the turn it was called in", async () => {
    const { clock, sessions } = world({ timeouts })
    const left: Array<Promise<unknown>> = []
    const run = watch(
      clock,
      sessions.run(
        "a",
        () => {
          left.push(sessions.run("b", () => clock.after(100).then(() => "undisturbed"), { detach: true }))
          return clock.after(50)
        },
        { timeout: 10 },
      ),
    )
    await clock.advance(200)
    expect(run.outcome).toBe("TaskStopped Timeout")
    expect(await Promise.all(left)).toEqual(["undisturbed"])
  })

  test("L22: a silent nested call ends by its own clock, and its caller goes on", async () => {
    const { clock, sessions } = world({ timeouts })
    const run = watch(
      clock,
      sessions.run("a", async () => {
        try {
          return await sessions.run("b", () => gate().promise, { silence: 90_000 })
        } catch (error) {
          return Reflect.get(Object(error), "reason")
        }
      }),
    )
    await clock.advance(90_000)
    expect(run.outcome).toBe("pending")
    await clock.advance(1000)
    expect([run.outcome, run.at]).toEqual(["value Silent", 91_000])
  })

  test("L22: a closing session does not wait out its grace for a call its turn made", async () => {
    const { clock, sessions } = world({ timeouts })
    const run = watch(
      clock,
      sessions.run("a", () => sessions.run("b", () => clock.after(30_000))),
    )
    await clock.advance(10)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(0)
    expect([run.outcome, fieldOf(run, "abandoned")]).toEqual(["TaskStopped Closed", false])
    expect([closed.outcome, closed.at]).toEqual(["value [object Object]", 10])
  })

  test("L22: two sessions that close at once while each calls the other's neighbour end at once", async () => {
    const { clock, sessions } = world({ timeouts })
    const runs = ["a", "b"].map((key) =>
      watch(
        clock,
        sessions.run(key, () => sessions.run("shared", () => clock.after(20_000))),
      ),
    )
    await clock.advance(10)
    const closed = ["a", "b"].map((key) => watch(clock, sessions.close(key)))
    await clock.advance(0)
    expect(runs.map((run) => run.outcome)).toEqual(["TaskStopped Closed", "TaskStopped Closed"])
    expect(closed.map((one) => one.at)).toEqual([10, 10])
  })
})
