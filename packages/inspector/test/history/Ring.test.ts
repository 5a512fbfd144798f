import * as fc from "fast-check"
import { expect, test } from "vitest"
import { Pages, pageSize } from "../../src/history/Pages.ts"
import { Ring } from "../../src/history/Ring.ts"

const usuals = [0, Number.NaN, 0]
const slots = 200

/** What a ring should know: every slot ever read, in a map. */
class Plain {
  readonly readings = new Map<number, { readonly covered: number; readonly values: ReadonlyArray<number> }>()
  last = -1
  begin(slot: number, covered: number, values: ReadonlyArray<number>): void {
    this.readings.set(slot, { covered, values: values.map(Math.fround) })
    this.last = slot
  }
  cut(slot: number): void {
    for (const at of this.readings.keys()) if (at >= slot) this.readings.delete(at)
    this.last = Math.min(this.last, slot - 1)
  }
}

const value = fc.oneof(fc.constant(0), fc.constant(Number.NaN), fc.integer({ min: -5, max: 1e6 }))
const step = fc.oneof(
  { weight: 20, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.integer({ min: 2, max: 2 * pageSize }) },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 3 * slots }) },
)
const doing = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      step,
      values: fc.tuple(value, value, value),
      times: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ back: fc.integer({ min: 1, max: 2 * slots }) }) },
)

test("a ring is a map of the last slots, whatever is written, left out, overtaken and set back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.array(doing, { maxLength: 40 }), (from, all) => {
      const pages = new Pages(1e9)
      const ring = new Ring(pages, slots, usuals)
      const plain = new Plain()
      // Slots that were overtaken do not come back when time is set back.
      let forgotten = -1
      let slot = from
      for (const one of all) {
        if ("back" in one) {
          slot = Math.max(0, slot - one.back)
          ring.cut(slot)
          plain.cut(slot)
        } else {
          for (let time = 0; time < one.times; time++) {
            slot += time === 0 ? one.step : 1
            ring.begin(slot, 1 + time)
            for (const [column, written] of one.values.entries()) ring.write(column, written + time)
            plain.begin(
              slot,
              1 + time,
              one.values.map((written) => written + time),
            )
            forgotten = Math.max(forgotten, slot - slots)
          }
        }
        for (let at = Math.max(0, ring.last - slots - 5); at <= ring.last + 5; at++) {
          const known = at > ring.last - slots ? plain.readings.get(at) : undefined
          if (at <= forgotten) {
            // Between what is surely kept and what is surely gone: gone, or as it was.
            if (ring.covered(at) === 0) continue
          }
          expect([at, ring.covered(at)]).toEqual([at, known?.covered ?? 0])
          if (known !== undefined)
            expect([at, ...usuals.map((_, column) => ring.read(column, at))]).toEqual([at, ...known.values])
        }
      }
    }),
    { numRuns: 300 },
  )
})

test("what is usual takes no page, and pages of the past are used again", () => {
  const pages = new Pages(1e9)
  const ring = new Ring(pages, slots, usuals)
  for (let slot = 0; slot < 10 * slots; slot++) {
    ring.begin(slot, 1)
    ring.write(0, 0)
    ring.write(1, Number.NaN)
  }
  expect(pages.bytes).toBe(0)
  for (let slot = 10 * slots; slot < 1000 * slots; slot++) {
    ring.begin(slot, 1)
    ring.write(2, slot)
  }
  const slab = pages.bytes
  expect(slab).toBeLessThan(50_000)
  ring.release()
  const other = new Ring(pages, slots, usuals)
  for (let slot = 0; slot < 10 * slots; slot++) {
    other.begin(slot, 1)
    other.write(0, 1)
  }
  expect(pages.bytes).toBe(slab)
})

test("where there is no room for a page there is no value, not a wrong one", () => {
  const pages = new Pages(pageSize * 4)
  const ring = new Ring(pages, slots, usuals)
  ring.begin(1, 1)
  for (const column of [0, 1, 2]) ring.write(column, 7)
  expect([0, 1, 2].map((column) => ring.read(column, 1))).toEqual([7, Number.NaN, Number.NaN])
  expect(pages.refused).toBe(2)
  // A page that comes free is there for the next.
  ring.begin(2 * (slots + 2 * pageSize), 1)
  ring.write(2, 8)
  expect(ring.read(2, ring.last)).toBe(8)
})
