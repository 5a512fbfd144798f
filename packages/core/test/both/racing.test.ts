import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L1, L6: 10 000 racing first turns on 100 keys open 100 resources, each key's turns in order", async () => {
    const { ledger, sessions } = world({ maxQueued: 100 })
    const order = new Map<string, Array<number>>()
    const turns = Array.from({ length: 10_000 }, (_, turn) =>
      sessions.run(`key-${turn % 100}`, async (thing) => {
        const seen = order.get(thing.key) ?? []
        order.set(thing.key, seen)
        seen.push(turn)
        return thing.serial
      }),
    )
    const serials = await Promise.all(turns)
    expect(ledger.opened).toBe(100)
    expect(ledger.mostOfOneKey).toBe(1)
    expect(new Set(serials).size).toBe(100)
    expect(order.size).toBe(100)
    for (const seen of order.values()) expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  })
})
