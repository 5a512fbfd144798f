import { describe, expect, it } from "vitest"
import {
  configOf,
  differenceOf,
  type Group,
  groupOf,
  measure,
  ratioOf,
  throughput,
  timed,
  valueOf,
  type Work,
  WrongResult,
} from "../src/harness.ts"
import { Traffic } from "../src/fixture.ts"
import { randomIntegers, shuffled } from "../src/random.ts"
import { groupText, verdictsText } from "../src/report.ts"
import { perRound, quantile, sizeByTime, summarize } from "../src/statistics.ts"
import { judge, type Target } from "../src/targets.ts"

const tiny = { ...configOf({ quick: true, rounds: 3 }), batchMs: 0.2, warmUpMs: 1 }

/** A case that counts, and can be told to lie. */
const counting = (lie: { readonly sum?: number; readonly turns?: number } = {}): Work => {
  let turns = 0
  return {
    name: "counting",
    batch: async (count) => {
      turns += count + (lie.turns ?? 0)
      return count * 2 + (lie.sum ?? 0)
    },
    expected: (count) => count * 2,
    turns: () => turns,
  }
}

describe("statistics", () => {
  it("interpolates quantiles and does not mind the order", () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2)
    expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5)
    expect(quantile([0, 10], 0.1)).toBe(1)
    expect(quantile([7], 0.9)).toBe(7)
    expect(quantile([], 0.5)).toBeNaN()
    expect(summarize([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual({ median: 6, p10: 2, p90: 10 })
  })

  it("one disturbed round does not show", () => {
    expect(summarize([100, 100, 9000, 100, 100]).median).toBe(100)
  })

  it("compares only rounds with rounds", () => {
    expect(() => perRound([1, 2], [1], (a, b) => a / b)).toThrow(RangeError)
  })

  it("sizes batches by time, between one and the limit", () => {
    expect(sizeByTime(1000, 10, 25, 1_000_000)).toBe(2500)
    expect(sizeByTime(1, 500, 25, 1_000_000)).toBe(1)
    expect(sizeByTime(1000, 0, 25, 20_000)).toBe(20_000)
    expect(sizeByTime(1000, 0.001, 25, 20_000)).toBe(20_000)
  })
})

describe("a group of cases", () => {
  // Both cases became three times slower in the middle round: the machine did, they did not.
  const group: Group = groupOf(
    { id: "g", title: "g", unit: "ns", against: ["base"] },
    new Map([
      ["base", [100, 300, 100]],
      ["twice", [200, 600, 210]],
    ]),
  )

  it("takes the ratio within each round, then the median", () => {
    expect(ratioOf(group, "twice", "base").median).toBe(2)
    expect(group.cases[1]?.ratios["base"]?.median).toBe(2)
    expect(group.cases[0]?.ratios).toEqual({})
    expect(differenceOf(group, "twice", "base").median).toBe(110)
    expect(valueOf(group, "twice").median).toBe(210)
  })

  it("knows its cases", () => {
    expect(() => ratioOf(group, "thrice", "base")).toThrow("no case is called thrice")
    const plan = { id: "g", title: "g", unit: "ns", against: ["gone"] } as const
    expect(() => groupOf(plan, new Map([["base", [1]]]))).toThrow("no case is called gone")
  })

  it("is printed with the ratio before the absolute value", () => {
    expect(groupText(group)).toContain("2.00 [2.00 2.08]")
    expect(groupText(group)).toMatch(/x a +ns, this machine/)
  })

  it("is judged by the worst of the named figures, and only when it was measured", () => {
    const target = { row: "r", must: "<=", limit: 2, unit: "x" } as const
    const wanted: ReadonlyArray<Target> = [
      { ...target, from: [{ group: "g", ratio: ["twice", "base"] }] },
      { ...target, limit: 109, from: [{ group: "g", difference: ["twice", "base"] }] },
      { ...target, must: ">=", from: ["base", "twice"].map((value) => ({ group: "g", value })) },
      { ...target, from: [{ group: "not run", value: "base" }] },
    ]
    const verdicts = judge([group], wanted)
    expect(verdicts.map(({ measured, reached }) => [measured, reached])).toEqual([
      [2, true],
      [110, false],
      [100, true],
    ])
    expect(verdictsText(verdicts)).toMatch(/r +<= 2 x +2\.00 x +yes/)
  })
})

describe("a measured case", () => {
  it("gives one value per round and case, in nanoseconds per operation", async () => {
    const sampler = throughput(tiny, "stream", counting())
    const group = await measure(tiny, { id: "g", title: "g", unit: "ns", against: [], samplers: [sampler] })
    expect(group.cases[0]?.rounds).toHaveLength(3)
    expect(valueOf(group, "counting").median).toBeGreaterThan(0)
  })

  it("takes every case once per round, in changing order", async () => {
    const order: Array<string> = []
    const samplers = ["a", "b", "c", "d"].map((name) => ({
      name,
      sample: async () => {
        order.push(name)
        return 1
      },
    }))
    await measure(tiny, { id: "g", title: "g", unit: "ns", against: [], samplers, rounds: 6 })
    const rounds = Array.from({ length: 6 }, (_, i) => order.slice(i * 4, i * 4 + 4))
    for (const round of rounds) expect(round.toSorted()).toEqual(["a", "b", "c", "d"])
    expect(new Set(rounds.map(String)).size).toBeGreaterThan(1)
  })

  it.each([
    ["a wrong value", { sum: 1 }],
    ["a value that is no number", { sum: Number.NaN }],
    ["a task that did not run", { turns: -1 }],
    ["a task that ran twice", { turns: 1 }],
  ])("%s is an error, not a figure", async (_, lie) => {
    await expect(timed(counting(lie), 10)).rejects.toThrow(WrongResult)
  })

  it("two cases of one name would share their values", async () => {
    const sampler = throughput(tiny, "stream", counting())
    const plan = { id: "g", title: "g", unit: "ns", against: [], samplers: [sampler, sampler] } as const
    await expect(measure(tiny, plan)).rejects.toThrow("two cases are called counting")
  })
})

describe("keys", () => {
  it("asks for every key of the round robin and knows the sum", () => {
    const traffic = Traffic.roundRobin(["session-0", "session-1", "session-2"])
    traffic.prepare(4)
    expect(traffic.keys).toEqual(["session-0", "session-1", "session-2", "session-0"])
    expect(traffic.expected()).toBe(3)
  })

  it("random keys reach all, do not return to their start, and come out the same again", () => {
    const [random, again] = [randomIntegers(1), randomIntegers(1)]
    const drawn = Array.from({ length: 20_000 }, () => random(1000))
    expect(new Set(drawn).size).toBe(1000)
    expect(drawn.slice(0, 100)).not.toEqual(drawn.slice(10_000, 10_100))
    expect(Array.from({ length: 100 }, () => again(1000))).toEqual(drawn.slice(0, 100))
    expect(shuffled(["a", "b", "c"], random).toSorted()).toEqual(["a", "b", "c"])
  })
})
