import { setImmediate as nextRound } from "node:timers/promises"
import { expect, test } from "vitest"
import { Slices } from "../src/Slices.ts"

const block = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}
/** Rounds of the event loop in which others had their turn while `work` was done. */
const roundsDuring = async (work: () => Promise<unknown>): Promise<number> => {
  let rounds = 0
  const over = new AbortController()
  const others = () => {
    rounds++
    if (!over.signal.aborted) setImmediate(others)
  }
  setImmediate(others)
  await work()
  over.abort()
  return rounds
}

test("pieces are done one after the other, in order, also after one that fails", async () => {
  const slices = new Slices()
  const done: Array<number> = []
  const piece = (number: number) =>
    slices.run(async () => {
      await nextRound()
      done.push(number)
      if (number === 2) throw new Error("odd")
      return number
    })
  const all = await Promise.allSettled([1, 2, 3].map(piece))
  expect(done).toEqual([1, 2, 3])
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
  expect(await slices.run(() => 4)).toBe(4)
})

test("others have their turn after each long piece, and between the parts of one; short ones are done in one go", async () => {
  const slices = new Slices()
  const many = <A>(piece: () => A) => Promise.all(Array.from({ length: 20 }, () => slices.run(piece)))
  expect(await roundsDuring(() => many(() => block(2)))).toBeGreaterThanOrEqual(19)
  const parts = async () => {
    for (let part = 0; part < 10; part++) {
      await slices.pause()
      block(2)
    }
  }
  expect(await roundsDuring(() => slices.run(parts))).toBeGreaterThanOrEqual(9)
  // Some time passed since: the slice begins with the first piece, not with the last one before.
  await nextRound()
  expect(await roundsDuring(() => many(() => {}))).toBeLessThanOrEqual(1)
})
