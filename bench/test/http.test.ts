import { describe, expect, it, onTestFinished } from "vitest"
import { configOf, WrongResult } from "../src/harness.ts"
import { eventsPerAnswer, routes, streams } from "../src/http/apps.ts"
import { fire } from "../src/http/load.ts"
import { mirroredRounds } from "../src/http/rounds.ts"
import { type Server, startServer } from "../src/http/server.ts"

describe("mirrored rounds", () => {
  it("take each case there and back, so that what drifts evenly is the same for all", async () => {
    let clock = 0
    const order: Array<string> = []
    const subjects = ["a", "b", "c"].map((name) => ({
      name,
      sample: async () => {
        order.push(name)
        return { at: clock++ }
      },
    }))
    const { at } = await mirroredRounds(configOf({ quick: true, rounds: 4 }), "g", ["at"], subjects)
    const warmUp = 9
    const rounds = Array.from({ length: 4 }, (_, i) => order.slice(warmUp + i * 6, warmUp + i * 6 + 6))
    for (const round of rounds) expect(round).toEqual(round.toReversed())
    expect(new Set(rounds.map(String)).size).toBeGreaterThan(1)
    const middles = [11.5, 17.5, 23.5, 29.5]
    for (const name of ["a", "b", "c"]) expect(at.get(name)).toEqual(middles)
  })
})

describe("a server under load", () => {
  const load = { amount: 300, connections: 4, value: Number, expected: "sum" } as const
  const serve = async (name: string): Promise<Server> => {
    const server = await startServer(name)
    onTestFinished(() => server.stop())
    return server
  }

  it.each(Object.keys(routes))("%s: every answer is counted once", async (name) => {
    const fired = await fire({ ...load, server: await serve(name) })
    expect(fired.perRequest).toBeGreaterThan(0)
    expect(fired.cpu).toBeGreaterThan(0)
    expect(fired.p99).toBeGreaterThanOrEqual(fired.p50)
  })

  it.each(Object.keys(streams))("%s: every answer has all its events", async (name) => {
    let complete = 0
    const value = (body: string): number => {
      const numbers = Array.from(body.matchAll(/^data: \{"n":(\d+)\}$/gm), ([, n]) => Number(n))
      if (numbers.length === eventsPerAnswer && numbers.every((n, at) => n === at + 1)) complete++
      return 1
    }
    await fire({ ...load, server: await serve(name), amount: 40, value, expected: "turns" })
    expect(complete).toBe(40)
  })

  it("a wrong answer is an error, not a figure", async () => {
    const value = (body: string): number => Number(body) + 1
    const server = await serve("sojourn, owner and id")
    await expect(fire({ ...load, server, value })).rejects.toThrow(WrongResult)
    await expect(fire({ ...load, server, value: () => Number.NaN })).rejects.toThrow(WrongResult)
  })
})
