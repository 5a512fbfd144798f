import { AsyncLocalStorage } from "node:async_hooks"
import { describe, expect, test } from "vitest"
import { currentFrame } from "../../src/context.ts"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const begun = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
const serialOf = (thing: { readonly serial: number }): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  test("L14: it begins with the drain, for the registry and for each task, and never by itself", async () => {
    const it = world()
    const { clock, sessions } = it
    const told: Array<string> = []
    sessions.draining.addEventListener("abort", () => told.push(`registry at ${clock.now}`))
    const held = gate()
    const running = watch(
      clock,
      sessions.run("a", async (_, { draining, signal }) => {
        draining.addEventListener("abort", () => told.push(`task at ${clock.now}`))
        await held.promise
        return [draining.aborted, signal.aborted]
      }),
    )
    await clock.advance(3000)
    await sessions.run("b", serialOf)
    await sessions.close("b")
    await sessions.restart("c")
    expect([told, sessions.draining.aborted]).toEqual([[], false])

    const drained = watch(clock, sessions.drain({ finishWithin: 10_000 }))
    await settle()
    expect(told.toSorted()).toEqual(["registry at 3000", "task at 3000"])
    await clock.advance(9000)
    expect(running.outcome).toBe("pending")
    held.open()
    await settle()
    expect(running.value).toEqual([true, false])
    expect(drained.value).toMatchObject({ finished: 1, cut: [], leaked: [] })
    expect(told.length).toBe(2)
    await expectNothingLeft(it)
  })

  test("L14: it comes before what runs is told to stop, also when there is no time at all", async () => {
    const { clock, sessions } = world()
    const told: Array<string> = []
    const running = watch(
      clock,
      sessions.run("a", async (_, { draining, signal }) => {
        draining.addEventListener("abort", () => told.push(`drain begins, stopped: ${signal.aborted}`))
        signal.addEventListener("abort", () => told.push("stop"))
        await begun(signal)
        throw new Error("stopped")
      }),
    )
    await settle()
    const drained = sessions.drain({ finishWithin: 0 })
    await clock.advance(0)
    expect(told).toEqual(["drain begins, stopped: false", "stop"])
    expect(running.outcome).toBe("TaskStopped Drained")
    expect(await drained).toMatchObject({ finished: 0, cut: [{ state: "interrupted" }] })
  })

  test("L14: work without end that watches it ends by itself, and the drain reports nothing cut", async () => {
    const it = world({ timeouts: { silence: "Infinity" } })
    const { clock, ledger, sessions } = it
    const poll = async (draining: AbortSignal): Promise<void> => {
      while (!draining.aborted) await Promise.race([clock.after(1000), begun(draining)])
      ledger.lines.push(`let go at ${clock.now}`)
    }
    await sessions.run("a", (_, { background }) => background("poll", (own) => poll(own.draining)))
    const turn = watch(
      clock,
      sessions.run("b", (_, { draining }) => poll(draining)),
    )
    await clock.advance(60_500)
    const drained = watch(clock, sessions.drain({ finishWithin: 30_000 }))
    await clock.advance(0)
    expect(turn.outcome).toBe("value undefined")
    expect(drained).toMatchObject({
      at: 60_500,
      value: { finished: 2, cut: [], closed: 2, leaked: [], durationMs: 0 },
    })
    expect(ledger.lines.filter((line) => line.startsWith("let go"))).toEqual(Array(2).fill("let go at 60500"))
    await expectNothingLeft(it)
  })

  test("L14, L22: what it wakes still belongs to its turn, so its own calls are served until the cut", async () => {
    const { clock, sessions } = world()
    const running = watch(
      clock,
      sessions.run("a", async (_, { draining }) => {
        await begun(draining)
        return [await sessions.run("b", ({ key }) => key), await outcomeOf(sessions.run("a", serialOf))]
      }),
    )
    await settle()
    const drained = watch(clock, sessions.drain({ finishWithin: 5000 }))
    await clock.advance(0)
    expect(running.value).toEqual(["b", "SessionMisuse ReentrantRun"])
    expect(drained.value).toMatchObject({ finished: 2, cut: [] })
  })

  test("L19: who drains does not lend its async context to the registry's listeners, nor does who runs", async () => {
    const caller = new AsyncLocalStorage<string>()
    const { sessions } = world()
    const seen: Array<unknown> = []
    caller.run("who listens", () =>
      sessions.draining.addEventListener("abort", () => seen.push(caller.getStore(), currentFrame())),
    )
    await caller.run("who runs", () => sessions.run("a", serialOf))
    await caller.run("who drains", () => sessions.drain())
    expect(seen).toEqual([undefined, undefined])
  })

  test("L14: a listener that calls in is refused like anyone else, and one that drains joins", async () => {
    const { clock, sessions } = world()
    const outcomes: Array<unknown> = []
    sessions.draining.addEventListener("abort", () => {
      void outcomeOf(sessions.run("a", serialOf)).then((outcome) => outcomes.push(outcome))
      void sessions.drain({ finishWithin: 0 }).then((report) => outcomes.push(report))
    })
    const running = watch(
      clock,
      sessions.run("a", async (_, { signal }) => {
        await begun(signal)
        throw new Error("stopped")
      }),
    )
    await settle()
    const report = await sessions.drain({ finishWithin: 60_000 })
    await settle()
    expect(outcomes).toHaveLength(2)
    expect(outcomes).toContain("SessionRefused Draining")
    expect(outcomes).toContain(report)
    expect([running.outcome, report.cut.length]).toEqual(["TaskStopped Drained", 1])
  })

  test("L14: whoever asks after the drain has begun is told at once", async () => {
    const { sessions } = world()
    const seen: Array<boolean> = []
    const held = gate()
    const running = sessions.run("a", async (_, task) => {
      await held.promise
      seen.push(task.draining.aborted)
    })
    await settle()
    const drained = sessions.drain()
    held.open()
    await Promise.all([running, drained])
    expect([seen, sessions.draining.aborted]).toEqual([[true], true])
  })

  test("L16: many who wait for it are no leak, and Node does not say they are", async () => {
    const { sessions } = world({ concurrency: 40 })
    const warnings: Array<Error> = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on("warning", note)
    const turns = Array.from({ length: 40 }, () =>
      sessions.run("a", async (_, { draining }) => {
        await begun(draining)
        return "let go"
      }),
    )
    for (let listener = 0; listener < 40; listener++)
      sessions.draining.addEventListener("abort", () => void listener)
    await settle()
    const report = await sessions.drain()
    expect(await Promise.all(turns)).toEqual(Array(40).fill("let go"))
    await settle()
    process.off("warning", note)
    expect([report.finished, report.cut, warnings]).toEqual([40, [], []])
  })
})
