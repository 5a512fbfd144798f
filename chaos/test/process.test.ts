import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { Tally, faults } from "../src/faults.ts"
import { readFlags } from "../src/flags.ts"
import { collect } from "../src/memory.ts"
import { countHandles, judgeFaults, judgeHandles, judgeHeap } from "../src/oracle/process.ts"
import { Random } from "../src/random.ts"

const MB = 1024 * 1024

describe("heap", () => {
  const noisy = (index: number): number => 20 * MB + (index % 3) * 4 * MB
  it("a steady rise is a violation, however noisy", () => {
    const rising = Array.from({ length: 24 }, (_, index) => noisy(index) + index * 0.3 * MB)
    expect(judgeHeap(rising).map(({ what }) => what)).toEqual([expect.stringMatching(/the heap rises/)])
  })
  it("noise, a step that stays, and a short run are none", () => {
    expect(judgeHeap(Array.from({ length: 24 }, (_, index) => noisy(index)))).toEqual([])
    expect(judgeHeap(Array.from({ length: 24 }, (_, index) => (index < 12 ? 20 : 28) * MB))).toEqual([])
    expect(judgeHeap([20, 20, 30, 40, 50, 60].map((size) => size * MB))).toEqual([])
  })
})

describe("handles", () => {
  it("what was there before may stay, one more may not", () => {
    const before = countHandles(["TCPSocketWrap", "Timeout"])
    expect(judgeHandles(before, countHandles(["Timeout"]))).toEqual([])
    const found = judgeHandles(before, countHandles(["Timeout", "Timeout", "ProcessWrap"]))
    expect(found.map(({ what }) => what)).toEqual([
      "2 of Timeout are left, 1 were there before",
      "1 of ProcessWrap are left, 0 were there before",
    ])
  })
})

describe("faults", () => {
  it("in a run of a minute each has happened; a shorter one need not come to all", () => {
    const tally = new Tally()
    for (const fault of faults.slice(1)) tally.fire(fault)
    expect(tally.missing).toBe(1)
    expect(judgeFaults(tally.all, 60_000).map(({ what }) => what)).toEqual([`never happened: ${faults[0]}`])
    expect(judgeFaults(tally.all, 20_000)).toEqual([])
    tally.fire(faults[0])
    expect(judgeFaults(tally.all, 60_000)).toEqual([])
  })
})

describe("memory", () => {
  it("a registry that is still held is a violation, one that is let go is not", async () => {
    setFlagsFromString("--expose-gc")
    const before = globalThis.gc
    globalThis.gc = runInNewContext("gc") as NonNullable<typeof globalThis.gc>
    try {
      const held = { name: "held" }
      const ref = (of: object): WeakRef<object> => new WeakRef(of)
      const left = await collect(
        [
          { name: "held", ref: ref(held) },
          { name: "gone", ref: ref({}) },
        ],
        300,
      )
      expect(left.found.map(({ what }) => what)).toEqual([
        "long after their drain these are still held: held",
      ])
      expect((await collect([{ name: "gone", ref: ref({}) }], 3000)).found).toEqual([])
      expect(held.name).toBe("held")
    } finally {
      globalThis.gc = before
    }
  })
})

describe("seed", () => {
  it("a fork draws the same whatever was drawn before", () => {
    const draw = (random: Random): ReadonlyArray<number> =>
      Array.from({ length: 5 }, () => random.below(1000))
    const one = new Random("7")
    const other = new Random("7")
    draw(other)
    expect(draw(one.fork("open", "a", 3))).toEqual(draw(other.fork("open", "a", 3)))
    expect(draw(one.fork("open", "a", 3))).not.toEqual(draw(one.fork("open", "a", 4)))
  })
})

describe("flags", () => {
  it("a minute unless said, a seed that is printed when none is given", () => {
    expect(readFlags([])).toMatchObject({ ms: 60_000, json: false, help: false })
    expect(readFlags(["--", "--seconds", "15", "--seed", "s"])).toMatchObject({ ms: 15_000, seed: "s" })
    expect(readFlags(["--minutes", "0.5"]).ms).toBe(30_000)
    expect(readFlags([]).seed).toMatch(/^\d+$/)
    expect(() => readFlags(["--seconds", "soon"])).toThrow("--seconds soon: not a number above 0")
    expect(() => readFlags(["--minutes", "-1"])).toThrow("--minutes")
    expect(() => readFlags(["--seconds", "5", "--minutes", "1"])).toThrow("not both")
  })
})
