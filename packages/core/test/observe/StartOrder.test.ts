import fc from "fast-check"
import { expect, test } from "vitest"
import { StartOrder } from "../../src/observe/StartOrder.ts"
import type { Frame } from "../../src/task/Frame.ts"

/** What is looked at of a frame: its task, as long as it runs. */
const frameOf = (number: number): Frame => ({ task: { number } }) as unknown as Frame
const numberOf = (order: StartOrder): number | undefined => order.oldest?.number

test("L16: the oldest is the first of those that have not ended, whoever starts and ends in whatever order", () => {
  // Each step starts so many, then ends the one at a share of those that run, so many times.
  const step = fc.tuple(fc.nat(700), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(700))
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const order = new StartOrder()
      let running: Array<[number, Frame]> = []
      let number = 0
      for (const [starts, at, ends] of steps) {
        for (let start = 0; start < starts; start++) {
          const frame = frameOf(++number)
          running.push([number, frame])
          order.add(frame)
        }
        const gone = running.splice(Math.floor(at * running.length), ends)
        for (const [, frame] of gone) frame.task = undefined
        expect(numberOf(order)).toBe(running[0]?.[0])
      }
      for (const [, frame] of running) frame.task = undefined
      running = []
      expect(numberOf(order)).toBeUndefined()
    }),
    { numRuns: 50 },
  )
})

test("L26: of what has ended it keeps few, also after a rush", () => {
  const order = new StartOrder()
  const rush = Array.from({ length: 100_000 }, (_, number) => frameOf(number))
  for (const frame of rush) order.add(frame)
  expect(order.kept).toBeGreaterThanOrEqual(rush.length)
  for (const frame of rush) frame.task = undefined
  for (let number = 0; number < 200_000; number++) {
    const frame = frameOf(number)
    order.add(frame)
    frame.task = undefined
  }
  expect(order.kept).toBeLessThanOrEqual(8)
})
