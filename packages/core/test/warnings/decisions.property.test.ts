import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { calm, clearsAfter, step, type Gate, type Verdict } from "../../src/warnings/hysteresis.ts"
import { Lately } from "../../src/warnings/Lately.ts"
import { rises, RisingFloor } from "../../src/warnings/RisingFloor.ts"
import { pendingHigh, tasksAccumulating } from "../../src/warnings/rules/sessions.ts"

const verdicts = fc.constantFrom<Verdict>("bad", "certain", "between", "good", "gone", "unknown")
const after = (gate: Gate, all: ReadonlyArray<Verdict>, looks: number): Gate =>
  all.reduce((before, verdict) => step(before, verdict, looks), gate)
const many = (verdict: Verdict, count: number): ReadonlyArray<Verdict> =>
  Array.from({ length: count }, () => verdict)

describe("hysteresis", () => {
  const looks = fc.integer({ min: 1, max: 20 })

  test("L16: raised after exactly k bad looks in a row, cleared after exactly 3k good ones", () => {
    fc.assert(
      fc.property(looks, fc.array(verdicts), (k, before) => {
        const cleared = after(after(calm, before, k), many("good", k * clearsAfter), k)
        expect(cleared.active).toBe(false)
        const almost = after(cleared, many("bad", k - 1), k)
        expect(almost.active).toBe(false)
        const raised = step(almost, "bad", k)
        expect(raised.active).toBe(true)
        const nearly = after(raised, many("good", k * clearsAfter - 1), k)
        expect(nearly.active).toBe(true)
        expect(step(nearly, "good", k).active).toBe(false)
      }),
    )
  })

  test("L16: what flickers faster than k looks never changes anything, either way", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.array(fc.nat(40), { maxLength: 40 }), (k, runs) => {
        let up: Gate = calm
        let down: Gate = after(calm, many("bad", k), k)
        for (const run of runs) {
          up = step(after(up, many("bad", run % k), k), run % 2 === 0 ? "good" : "between", k)
          down = step(
            after(down, many("good", run % (k * clearsAfter)), k),
            run % 2 === 0 ? "bad" : "between",
            k,
          )
        }
        expect([up.active, down.active]).toEqual([false, true])
      }),
    )
  })

  test("L16: the unknown changes nothing, whenever it comes", () => {
    fc.assert(
      fc.property(looks, fc.array(verdicts), (k, all) => {
        const known = all.filter((verdict) => verdict !== "unknown")
        expect(after(calm, all, k)).toEqual(after(calm, known, k))
      }),
    )
  })

  test("L16: one certain look raises, and what is gone clears at once", () => {
    fc.assert(
      fc.property(looks, fc.array(verdicts), (k, before) => {
        const gate = after(calm, before, k)
        expect(step(gate, "certain", k).active).toBe(true)
        expect(step(gate, "gone", k)).toEqual(calm)
      }),
    )
  })

  test("L16: it is never raised without a bad look, and never cleared without a good one, or its end", () => {
    fc.assert(
      fc.property(looks, fc.array(verdicts), verdicts, (k, before, next) => {
        const gate = after(calm, before, k)
        const then = step(gate, next, k)
        const may = gate.active ? ["good", "gone"] : ["bad", "certain"]
        expect(then.active === gate.active || may.includes(next)).toBe(true)
      }),
    )
  })
})

/** The same, as its definition says it: over the whole list at once. */
const minimaOf = (values: ReadonlyArray<number>, perQuarter: number): ReadonlyArray<number> =>
  Array.from({ length: Math.floor(values.length / perQuarter) }, (_, quarter) =>
    Math.min(...values.slice(quarter * perQuarter, (quarter + 1) * perQuarter)),
  )

describe("rising floor", () => {
  const perQuarter = fc.integer({ min: 1, max: 8 })
  const values = fc.array(fc.nat(30), { maxLength: 80 })
  const fed = (all: ReadonlyArray<number>, quarter: number): RisingFloor => {
    const floor = new RisingFloor()
    for (const value of all) floor.add(value, quarter)
    return floor
  }

  test("L16: the minima are those of the last four whole quarters", () => {
    fc.assert(
      fc.property(values, perQuarter, (all, quarter) => {
        const minima = minimaOf(all, quarter)
        const floor = fed(all, quarter)
        expect(floor.quarters ?? []).toEqual(minima.length < 4 ? [] : minima.slice(-4))
        const rest = all.slice(minima.length * quarter)
        expect(floor.low).toBe(Math.min(...rest, minima.at(-1) ?? Infinity))
      }),
    )
  })

  test("L16: one look at nothing in a quarter, and it does not rise, however high the rest is", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 12, maxLength: 60 }), (all) => {
        const emptied = all.map((value, index) => (index % 3 === 1 ? 0 : value))
        expect(rises(fed(emptied, 3).quarters ?? [0, 0])).toBe(false)
      }),
    )
  })

  test("L16: what grows by at least one from look to look rises; what is added on top of it does not hide that", () => {
    fc.assert(
      fc.property(perQuarter, fc.array(fc.nat(1000), { minLength: 32, maxLength: 40 }), (quarter, noise) => {
        const growing = noise.map((high, index) => index + (index % quarter === 0 ? 0 : high))
        const { quarters } = fed(growing, quarter)
        expect(quarters === undefined ? true : rises(quarters)).toBe(true)
      }),
    )
  })

  test("L16: tasks-accumulating is bad only with a last minimum of the floor, and stays until that has halved", () => {
    /** Most of what it is given grows, for what does not is never bad. */
    const mostlyGrowing = fc
      .array(fc.integer({ min: -1, max: 3 }), { minLength: 4, maxLength: 60 })
      .map((steps) =>
        steps.map((_, index) =>
          Math.max(
            0,
            steps.slice(0, index).reduce((a, b) => a + b, 0),
          ),
        ),
      )
    let [bad, tooLow] = [0, 0]
    fc.assert(
      fc.property(mostlyGrowing, perQuarter, fc.integer({ min: 1, max: 40 }), (all, quarter, least) => {
        const floor = fed(all, quarter)
        const limits = { floor: least, window: 0, for: 0 }
        const verdict = tasksAccumulating(floor, undefined, limits)
        const isRising = floor.quarters !== undefined && rises(floor.quarters)
        expect(verdict === "bad").toBe(isRising && floor.floor >= least)
        if (verdict === "bad") bad++
        if (isRising && floor.floor < least) tooLow++
        const raised = tasksAccumulating(floor, 20, limits)
        const expected = verdict === "bad" ? "bad" : floor.low <= 10 ? "good" : "between"
        expect(raised).toBe(expected)
      }),
      { numRuns: 500 },
    )
    expect([bad > 20, tooLow > 20]).toEqual([true, true])
  })
})

describe("counters, lately", () => {
  test("L16: told is what was added in the last three to four quarters of a window, and never more than all", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 8 }),
        (added, quarter) => {
          const lately = new Lately()
          lately.begin([100])
          let sum = 100
          let told = 0
          for (const more of added) told = lately.look([(sum += more)], quarter)[0] ?? Number.NaN
          const lastOf = (count: number): number =>
            added.slice(-Math.min(count, added.length)).reduce((a, b) => a + b, 0)
          expect(told).toBeGreaterThanOrEqual(lastOf(quarter * 3))
          expect(told).toBeLessThanOrEqual(lastOf(quarter * 4))
        },
      ),
    )
  })
})

describe("thresholds with a band", () => {
  test("L16: pending-high never goes from bad to good in one step of a task", () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(200),
        fc.constantFrom(10, 64, 1000, Infinity),
        (running, queued, maxQueued) => {
          const limits = { pending: 100, share: 0.8, for: 0 }
          const now = pendingHigh({ pending: running + queued, queued, maxQueued }, limits)
          if (now !== "bad" || queued === 0) return
          expect(
            pendingHigh({ pending: running + queued - 1, queued: queued - 1, maxQueued }, limits),
          ).not.toBe("good")
        },
      ),
    )
  })
})
