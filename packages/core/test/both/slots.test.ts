import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  /** A turn that runs, has been cancelled by its caller, and does not end before `held` opens. */
  const hung = async (policy: Parameters<typeof world>[0] = {}) => {
    const it = world({ timeouts, ...policy })
    const held = gate()
    const gone = new AbortController()
    const first = watch(
      it.clock,
      it.sessions.run("a", () => held.promise, { signal: gone.signal }),
    )
    await settle()
    gone.abort(new Error("gone"))
    await settle()
    return { ...it, held, first }
  }

  test("L6: a cancelled turn that ignores its signal is told at once; the next starts at its real end", async () => {
    const { clock, first, held, sessions, story } = await hung()
    expect([first.outcome, first.at]).toEqual(["error gone", 0])
    const next = watch(
      clock,
      sessions.run("a", ({ serial }) => serial),
    )
    await clock.advance(900)
    expect(next.outcome).toBe("pending")
    held.open()
    await clock.advance(0)
    expect([next.outcome, next.at]).toEqual(["value 1", 900])
    expect(story()).toEqual(["Opening", "Opened"])
  })

  test("L6: nobody needs its slot: nothing is torn down, however long it takes within its silence", async () => {
    const { clock, held, ledger, sessions, story } = await hung()
    await clock.advance(59_000)
    expect(story()).toEqual(["Opening", "Opened"])
    expect(sessions.explain("a").alive).toMatchObject([{ kind: "turn" }])
    held.open()
    await clock.advance(0)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
    expect(ledger.opened).toBe(1)
  })

  test("L6, L13: cancelled, it may still take its time while it gives signs of life", async () => {
    const { clock, sessions, story } = world({ timeouts })
    const gone = new AbortController()
    const first = watch(
      clock,
      sessions.run(
        "a",
        async (_, task) => {
          for (let beat = 0; beat < 5; beat++) {
            await clock.after(50_000)
            task.progress(`tidying up ${beat}`)
          }
        },
        { signal: gone.signal },
      ),
    )
    await clock.advance(10_000)
    gone.abort(new Error("gone"))
    await clock.advance(260_000)
    expect(first.outcome).toBe("error gone")
    expect(story()).toEqual(["Opening", "Opened"])
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
  })

  test("L6, L13: the next turn arrives: the slot is lost grace after its arrival, and it runs on the next generation", async () => {
    const it = await hung()
    const { clock, events, ledger, sessions, story } = it
    await clock.advance(20_000)
    const next = watch(
      clock,
      sessions.run("a", ({ serial }) => serial),
    )
    await clock.advance(999)
    expect(story()).toEqual(["Opening", "Opened"])
    await clock.advance(1)
    expect(story()).toEqual(["Opening", "Opened", "Lost", "Closing Unresponsive"])
    await clock.advance(3000)
    expect(story().slice(4)).toEqual(["Closed Unresponsive", "Opening", "Opened"])
    expect([next.outcome, next.at]).toEqual(["value 2", 24_000])
    expect(sessions.snapshot().counts.leaked).toBe(1)
    expect(ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
    // Told once: abandoning it is no second outcome.
    expect(events.flatMap((event) => (event._tag === "TaskEnded" ? [event.outcome] : []))).toEqual([
      "cancelled",
      "succeeded",
    ])
    it.held.open()
    await clock.advance(0)
    expect(story().at(-1)).toBe("LeakEnded")
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(2)
    await expectNothingLeft(it)
  })

  test("L6: the slot's grace is not restarted by a second who needs it", async () => {
    const { clock, sessions, story } = await hung()
    void sessions.run("a", () => 1).catch(() => {})
    await clock.advance(600)
    void sessions.run("a", () => 2).catch(() => {})
    await clock.advance(400)
    expect(story()).toContain("Closing Unresponsive")
  })

  test("L6: who needs the slot leaves before grace is over: no teardown", async () => {
    const { clock, held, sessions, story } = await hung()
    const impatient = watch(
      clock,
      sessions.run("a", () => 2, { timeout: 900 }),
    )
    await clock.advance(10_000)
    expect([impatient.outcome, impatient.at, fieldOf(impatient, "started")]).toEqual([
      "TaskStopped Timeout",
      900,
      false,
    ])
    expect(story()).toEqual(["Opening", "Opened"])
    // The grace of the one who left does not count for the next.
    const next = watch(
      clock,
      sessions.run("a", ({ serial }) => serial),
    )
    await clock.advance(999)
    held.open()
    await clock.advance(0)
    expect(next.outcome).toBe("value 1")
  })

  test("L6: overlapping work needs no slot, so it tears nothing down", async () => {
    const { clock, sessions, story } = await hung()
    expect(await sessions.run("a", ({ serial }) => serial, { whenBusy: "overlap" })).toBe(1)
    await clock.advance(10_000)
    expect(story()).toEqual(["Opening", "Opened"])
  })

  test("L6, L13: with concurrency 3, one that hangs loses its slot alone; the others go on", async () => {
    const { clock, sessions, story } = world({ concurrency: 3, timeouts })
    const hangs = watch(
      clock,
      sessions.run("a", () => gate().promise, { silence: 500 }),
    )
    await clock.advance(1500)
    expect([hangs.outcome, fieldOf(hangs, "abandoned")]).toEqual(["TaskStopped Silent", true])
    let [now, most] = [0, 0]
    const others = Array.from({ length: 5 }, () =>
      sessions.run("a", async ({ serial }) => {
        most = Math.max(most, ++now)
        await clock.after(100)
        now--
        return serial
      }),
    )
    await clock.advance(1000)
    expect(await Promise.all(others)).toEqual([1, 1, 1, 1, 1])
    expect(most).toBe(2)
    expect(story()).toEqual(["Opening", "Opened"])
  })

  test("L6, L13: with concurrency 3, all three lost is Unresponsive; who waits moves on together", async () => {
    const { clock, sessions, story } = world({ concurrency: 3, timeouts })
    const gone = new AbortController()
    for (let n = 0; n < 3; n++)
      void sessions.run("a", () => gate().promise, { signal: gone.signal }).catch(() => {})
    await settle()
    gone.abort(new Error("gone"))
    const next = [1, 2].map(() =>
      watch(
        clock,
        sessions.run("a", ({ serial }) => serial),
      ),
    )
    await clock.advance(999)
    expect(story()).toEqual(["Opening", "Opened"])
    await clock.advance(1)
    expect(story()).toContain("Closing Unresponsive")
    await clock.advance(3000)
    expect(next.map((run) => run.outcome)).toEqual(["value 2", "value 2"])
  })
})
