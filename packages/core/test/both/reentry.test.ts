import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

/** What became of a call, as seen from inside the turn that made it. */
const attempt = async (call: () => Promise<unknown>): Promise<string> => {
  try {
    return `value ${String(await call())}`
  } catch (error) {
    return typeof error === "object" && error !== null && "reason" in error
      ? String(error.reason)
      : String(error)
  }
}

describe.each(faces)("$face", ({ world }) => {
  test("L7: a turn's call on its own session is refused at once", async () => {
    const { clock, sessions } = world()
    const run = watch(
      clock,
      sessions.run("a", () => attempt(() => sessions.run("a", () => 1))),
    )
    await clock.advance(0)
    expect([run.outcome, run.at]).toEqual(["value ReentrantRun", 0])
  })

  test("L7: also after timers, in a promise's callback, and in another promise chain", async () => {
    const it = world()
    const { clock, sessions } = it
    const run = watch(
      clock,
      sessions.run("a", async () => {
        await clock.after(10)
        const first = await attempt(() => sessions.run("a", () => 1))
        const later = gate<string>()
        void clock.after(10).then(async () => later.open(await attempt(() => sessions.run("a", () => 2))))
        return `${first} ${await later.promise}`
      }),
    )
    await clock.advance(100)
    expect([run.outcome, run.at]).toEqual(["value ReentrantRun ReentrantRun", 20])
    await expectNothingLeft(it)
  })

  test("L7: through other sessions: a calls b, b calls c, c calls a", async () => {
    const { clock, sessions } = world()
    const run = watch(
      clock,
      sessions.run("a", () =>
        sessions.run("b", () => sessions.run("c", () => attempt(() => sessions.run("a", () => "never")))),
      ),
    )
    await clock.advance(0)
    expect([run.outcome, run.at]).toEqual(["value ReentrantRun", 0])
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L7: the refusal names the session and is a misuse; the calling turn goes on", async () => {
    const { clock, sessions } = world()
    const nested = watch(
      clock,
      sessions.run("a", () => sessions.run("a", () => 1)),
    )
    await clock.advance(0)
    expect(nested.outcome).toBe("SessionMisuse ReentrantRun")
    expect(fieldOf(nested, "session")).toMatchObject({ key: "a", serial: 1 })
  })

  test("L7: a calls b is served, also when b has to open, wait for its turn, or restart first", async () => {
    const { clock, sessions } = world()
    const held = gate()
    const busy = sessions.run("b", () => held.promise)
    await settle()
    const run = watch(
      clock,
      sessions.run("a", async () => [
        await sessions.run("fresh", ({ serial }) => serial),
        await sessions.run("b", ({ serial }) => serial),
      ]),
    )
    await settle()
    held.open()
    await busy
    await clock.advance(0)
    expect(run.value).toEqual([3, 1])
    const again = sessions.run("a", async () => {
      const restarted = sessions.restart("b")
      const after = sessions.run("b", ({ serial }) => serial)
      return [(await restarted)?.reason, await after]
    })
    await clock.advance(0)
    expect(await again).toEqual(["Restarted", 4])
  })

  test("L7: overlap and detach do not wait for the turn they are called from", async () => {
    const { clock, sessions } = world()
    const order: Array<string> = []
    const detached: Array<Promise<unknown>> = []
    const run = watch(
      clock,
      sessions.run("a", async () => {
        order.push(await sessions.run("a", () => "overlap", { whenBusy: "overlap" }))
        detached.push(sessions.run("a", () => order.push("detached"), { detach: true }))
        await clock.after(10)
        order.push("turn ends")
      }),
    )
    await clock.advance(100)
    expect(run.outcome).toBe("value undefined")
    await Promise.all(detached)
    expect(order).toEqual(["overlap", "turn ends", "detached"])
  })

  test("L7: what an overlapping turn may call: its own session, for it takes no turn of it", async () => {
    const { clock, sessions } = world()
    const run = watch(
      clock,
      sessions.run("a", () => sessions.run("a", ({ serial }) => serial), { whenBusy: "overlap" }),
    )
    await clock.advance(0)
    expect(run.outcome).toBe("value 1")
  })

  test("L7: but not when the session waits for it to end", async () => {
    const it = world({ timeouts: { grace: 1000 } })
    const { clock, sessions } = it
    const go = gate()
    const run = watch(
      clock,
      sessions.run(
        "a",
        async () => {
          await go.promise
          return attempt(() => sessions.run("a", () => 1))
        },
        { whenBusy: "overlap" },
      ),
    )
    await settle()
    const closed = watch(clock, sessions.close("a", { finishWithin: 60_000 }))
    go.open()
    await clock.advance(1000)
    expect([run.outcome, run.at]).toEqual(["value ReentrantRun", 0])
    expect(closed.at).toBe(0)
  })

  test("L7: a timer left over by an ended turn is no part of it", async () => {
    const { clock, sessions } = world()
    const leftovers: Array<Promise<number>> = []
    await sessions.run("a", () => {
      leftovers.push(clock.after(10).then(() => sessions.run("a", ({ serial }) => serial)))
    })
    await clock.advance(10)
    expect(await Promise.all(leftovers)).toEqual([1])
  })

  test("L7: a turn whose caller was told already still holds its slot: a call on its own session is refused", async () => {
    const { clock, sessions } = world()
    const seen: Array<string> = []
    const run = watch(
      clock,
      sessions.run(
        "a",
        async () => {
          await clock.after(20)
          seen.push(await attempt(() => sessions.run("a", () => 1)))
        },
        { timeout: 10 },
      ),
    )
    await clock.advance(100)
    expect([run.outcome, seen]).toEqual(["TaskStopped Timeout", ["ReentrantRun"]])
  })

  test("L7: the caller of a nested call that was told already is not counted as waiting", async () => {
    const { clock, sessions } = world()
    const seen: Array<string> = []
    const run = watch(
      clock,
      sessions.run("a", async () => {
        // Told at 10, while b's work goes on; so a does not wait for b any more, and b may wait for a.
        await attempt(() =>
          sessions.run(
            "b",
            async () => {
              await clock.after(20)
              seen.push(await attempt(() => sessions.run("a", () => "served")))
            },
            { timeout: 10 },
          ),
        )
        await clock.after(30)
      }),
    )
    await clock.advance(100)
    expect([run.outcome, seen]).toEqual(["value undefined", ["value served"]])
  })

  test("L7: a lease in a turn of its own session is granted; its turns may not wait for that turn", async () => {
    const { clock, sessions } = world()
    const run = watch(
      clock,
      sessions.run("a", async () => {
        const lease = await sessions.lease("a")
        const inside = await attempt(() => lease.run(() => 1))
        await lease.release()
        return inside
      }),
    )
    await clock.advance(0)
    expect(run.outcome).toBe("value ReentrantRun")
  })

  test.each(["close", "restart", "drain"] as const)(
    "L7: %s inside a turn is refused, and the session lives on",
    async (verb) => {
      const { clock, sessions } = world()
      const run = watch(
        clock,
        sessions.run("a", () =>
          attempt(async () => (verb === "drain" ? sessions.drain() : sessions[verb]("a"))),
        ),
      )
      await clock.advance(0)
      expect(run.outcome).toBe("value ReentrantClose")
      expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
    },
  )

  test("L7: close of a session further up the chain is refused too; of any other it is served", async () => {
    const { clock, sessions } = world()
    await sessions.run("c", () => 1)
    const run = watch(
      clock,
      sessions.run("a", () =>
        sessions.run("b", async () => {
          const own = await attempt(() => sessions.close("a"))
          const other = await sessions.close("c")
          return `${own} ${other?.reason}`
        }),
      ),
    )
    await clock.advance(0)
    expect(run.outcome).toBe("value ReentrantClose Requested")
  })
})
