import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { dataAge, Live, type LiveHost } from "../../src/live/Live.ts"
import { reuse } from "../../src/live/reuse.ts"
import type { Frame, FrameSource } from "../../src/live/Source.ts"
import { Store } from "../../src/state/Store.ts"

/** Time, timers and pictures by hand. */
const hostRig = () => {
  let now = 1_000_000
  let painted: Array<() => void> = []
  const timers: Array<{ readonly at: number; readonly run: () => void; off: boolean }> = []
  const seen = new Store(true)
  const host: LiveHost = {
    now: () => now,
    beforePaint: (run) => {
      painted.push(run)
      return () => {
        painted = painted.filter((other) => other !== run)
      }
    },
    after: (ms, run) => {
      const timer = { at: now + ms, run, off: false }
      timers.push(timer)
      return () => {
        timer.off = true
      }
    },
    random: () => 1,
    seen,
  }
  return {
    host,
    seen,
    paint: () => {
      const due = painted
      painted = []
      for (const run of due) run()
      return due.length
    },
    pass: (ms: number) => {
      const until = now + ms
      for (;;) {
        const due = timers.filter(({ off, at }) => !off && at <= until).toSorted((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        now = due.at
        due.off = true
        due.run()
      }
      now = until
    },
  }
}

/** A source whose frames, ends and errors are given by hand. */
const sourceRig = () => {
  let give: ((event: Frame<number> | Error | "end") => void) | undefined
  const opened: Array<number | undefined> = []
  const source: FrameSource<number> = {
    isFinal: (error) => error instanceof RangeError,
    async *frames({ after, signal }) {
      opened.push(after)
      const waiting: Array<Frame<number> | Error | "end"> = []
      let wake = () => {}
      give = (event) => {
        waiting.push(event)
        wake()
      }
      const mine = give
      signal.addEventListener("abort", () => wake())
      try {
        for (;;) {
          if (signal.aborted) return
          const next = waiting.shift()
          if (next === "end") return
          if (next instanceof Error) throw next
          if (next !== undefined) yield next
          else
            await new Promise<void>((resolve) => {
              wake = resolve
            })
        }
      } finally {
        if (give === mine) give = undefined
      }
    },
  }
  return {
    source,
    opened,
    give: (event: Frame<number> | Error | "end") => give?.(event),
    open: () => give !== undefined,
  }
}

/** Lets what waits for promises go on. */
const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

const rig = () => {
  const host = hostRig()
  const sources = sourceRig()
  const live = new Live<ReadonlyArray<number>, number>(
    {
      source: sources.source,
      empty: [],
      apply: (state, { full, delta }) => (full ? [delta] : [...state, delta]),
    },
    host.host,
  )
  let told = 0
  const unsubscribe = live.subscribe(() => {
    told += 1
  })
  let seq = 0
  let t = 5_000_000
  return {
    ...host,
    ...sources,
    live,
    unsubscribe,
    told: () => told,
    frame: async (delta: number, { full = false, later = 1000, dropped = 0 } = {}) => {
      seq += 1
      t += later
      sources.give({ seq, t, dropped, full, delta })
      await settle()
    },
  }
}

describe("live data", () => {
  it("however many frames come, those who watch are told once before a picture", async () => {
    const { frame, paint, told, live } = rig()
    await settle()
    paint()
    const before = told()
    for (let value = 1; value <= 50; value += 1) await frame(value)
    expect(told()).toBe(before)
    expect(paint()).toBe(1)
    expect(told()).toBe(before + 1)
    expect(live.get().state).toHaveLength(50)
    expect(live.get().status).toBe("live")
  })
  it("opens nothing until it is watched, and ends when nobody watches", async () => {
    const { open, unsubscribe, opened } = rig()
    await settle()
    expect(open()).toBe(true)
    unsubscribe()
    await settle()
    expect(open()).toBe(false)
    expect(opened).toHaveLength(1)
    const other = sourceRig()
    void new Live<number, number>({ source: other.source, empty: 0, apply: () => 0 }, hostRig().host)
    await settle()
    expect(other.opened).toEqual([])
  })
  it("paused: the connection is closed; resumed: it goes on after the last frame, with the gap shown", async () => {
    const { frame, live, open, opened, paint } = rig()
    await settle()
    await frame(1)
    live.pause()
    await settle()
    paint()
    expect(open()).toBe(false)
    expect(live.get().status).toBe("paused")
    live.resume()
    await settle()
    expect(opened).toEqual([undefined, 1])
    await frame(2, { full: true, later: 60_000 })
    paint()
    expect(live.get().state).toEqual([2])
    expect(live.get().gaps).toEqual([{ from: 5_001_000, to: 5_061_000, why: "paused" }])
  })
  it("stops while nobody sees the page", async () => {
    const { frame, live, open, paint, seen } = rig()
    await settle()
    await frame(1)
    seen.set(false)
    await settle()
    expect(open()).toBe(false)
    live.pause()
    seen.set(true)
    await settle()
    expect(open(), "paused by hand goes before").toBe(false)
    live.resume()
    await settle()
    await frame(2)
    paint()
    expect(live.get().status).toBe("live")
    expect(live.get().gaps).toHaveLength(1)
  })
  it("lost: tries again with a growing delay, and at once when asked", async () => {
    const { frame, give, live, opened, paint, pass } = rig()
    await settle()
    await frame(1)
    give(new Error("cut"))
    await settle()
    paint()
    expect(live.get()).toMatchObject({ status: "lost", state: [1], retryAt: 1_000_500 })
    for (const wait of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
      const before = opened.length
      pass(wait - 1)
      await settle()
      expect(opened.length).toBe(before)
      pass(1)
      await settle()
      expect(opened.length).toBe(before + 1)
      give(new Error("still"))
      await settle()
    }
    live.retry()
    await settle()
    await frame(2)
    paint()
    expect(live.get()).toMatchObject({ status: "live", error: undefined, retryAt: undefined })
    expect(live.get().gaps.map(({ why }) => why)).toEqual(["lost"])
    give("end")
    await settle()
    paint()
    expect(live.get().status, "an end is a loss too").toBe("lost")
    expect(live.get().retryAt, "after a frame the delay is short again").toBe(1_046_000)
  })
  it("silent: is given up, and opened anew", async () => {
    const { frame, live, opened, paint, pass } = rig()
    await settle()
    await frame(1)
    pass(14_999)
    expect(opened).toHaveLength(1)
    pass(1)
    await settle()
    paint()
    expect(live.get().status).toBe("lost")
    pass(500)
    await settle()
    expect(opened).toEqual([undefined, 1])
  })
  it("refused: is not tried again by itself", async () => {
    const { give, live, opened, paint, pass } = rig()
    await settle()
    give(new RangeError("not authorized"))
    await settle()
    pass(3_600_000)
    await settle()
    paint()
    expect(live.get().status).toBe("refused")
    expect(opened).toHaveLength(1)
    live.retry()
    await settle()
    expect(opened).toHaveLength(2)
  })
  it("another question keeps what is known until its first frame, and says no gap", async () => {
    const { frame, live, opened, paint } = rig()
    await settle()
    await frame(1)
    const other = sourceRig()
    live.replace(other.source)
    await settle()
    paint()
    expect(live.get().state).toEqual([1])
    expect(other.opened, "numbers of another view mean nothing to it").toEqual([undefined])
    other.give({ seq: 1, t: 5_002_000, dropped: 0, full: true, delta: 9 })
    await settle()
    paint()
    expect(live.get()).toMatchObject({ state: [9], gaps: [], status: "live" })
    expect(opened).toHaveLength(1)
  })
  it("a frame of a connection that was given up is not applied, though its source would not stop", async () => {
    const made = hostRig()
    const waiting: Array<(frame: Frame<number>) => void> = []
    let returned = 0
    const stubborn: FrameSource<number> = {
      async *frames() {
        try {
          for (;;)
            yield await new Promise<Frame<number>>((resolve) => {
              waiting.push(resolve)
            })
        } finally {
          returned += 1
        }
      },
    }
    const live = new Live<number, number>(
      { source: stubborn, empty: 0, apply: (_, { delta }) => delta },
      made.host,
    )
    live.subscribe(() => {})
    await settle()
    live.replace(sourceRig().source)
    waiting[0]?.({ seq: 9, t: 9e9, dropped: 0, full: true, delta: 99 })
    await settle()
    made.paint()
    expect(live.get()).toMatchObject({ state: 0, frames: 0 })
    expect(returned, "and its source is told to end").toBe(1)
  })
  it("dropped counts add up over connections", async () => {
    const { frame, give, live, paint, pass } = rig()
    await settle()
    await frame(1, { dropped: 3 })
    await frame(2, { dropped: 5 })
    give(new Error("cut"))
    await settle()
    pass(500)
    await settle()
    await frame(3, { dropped: 2 })
    paint()
    expect(live.get().dropped).toBe(7)
  })
  it("how old it is: by the quickest frame, whatever the clocks say", async () => {
    const { frame, live, paint, pass } = rig()
    await settle()
    await frame(1)
    pass(1000)
    await frame(2)
    pass(3000)
    paint()
    // The second frame was as quick as the first; three seconds have passed since.
    expect(dataAge(live.get(), 1_004_000)).toBe(3000)
    await frame(3, { later: 500 })
    paint()
    // The third one left the server half a second after the second, and came three seconds after it.
    expect(dataAge(live.get(), 1_004_000)).toBe(2500)
  })
  it("whatever happens in whatever order: ends live, with all frames, once it may", async () => {
    const event = fc.constantFrom(
      "frame",
      "pause",
      "resume",
      "hide",
      "show",
      "cut",
      "end",
      "pass",
      "paint",
      "retry",
    )
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const made = rig()
        await settle()
        let value = 0
        for (const what of events) {
          if (what === "frame") await made.frame((value += 1))
          else if (what === "pause") made.live.pause()
          else if (what === "resume") made.live.resume()
          else if (what === "hide") made.seen.set(false)
          else if (what === "show") made.seen.set(true)
          else if (what === "cut") made.give(new Error("cut"))
          else if (what === "end") made.give("end")
          else if (what === "pass") made.pass(20_000)
          else if (what === "paint") made.paint()
          else made.live.retry()
          await settle()
          const idle = made.live.paused || !made.seen.get()
          if (idle) expect(made.open(), "no connection while it should be still").toBe(false)
        }
        made.live.resume()
        made.seen.set(true)
        made.live.retry()
        await settle()
        await made.frame(1000, { full: true })
        made.paint()
        expect(made.live.get()).toMatchObject({ status: "live", state: [1000], retryAt: undefined })
        const { gaps } = made.live.get()
        for (const [index, { from, to }] of gaps.entries()) {
          expect(from).toBeLessThan(to)
          expect(from).toBeGreaterThanOrEqual(gaps[index - 1]?.to ?? 0)
        }
        made.unsubscribe()
        await settle()
        expect(made.open()).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})

describe("what did not change", () => {
  it("equals the new value, and is the old one wherever they are equal", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
        expect(reuse(before, after)).toEqual(after)
        const copy: unknown = structuredClone(before)
        expect(reuse(before, copy)).toBe(before)
      }),
    )
  })
  it("part by part", () => {
    const before = { a: { x: 1 }, b: [1, { y: 2 }], __proto__: null }
    const after = reuse<Record<string, unknown>>(before, { a: { x: 1 }, b: [1, { y: 3 }] })
    expect(after["a"]).toBe(before.a)
    expect(after["b"]).not.toBe(before.b)
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
    reuse({}, JSON.parse('{"__proto__":{"polluted":1}}'))
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
  })
})
