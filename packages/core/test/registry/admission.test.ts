import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { decideSeat, decideTurn, type SeatFacts, type TurnFacts } from "../../src/registry/admission.ts"

const turnFacts: fc.Arbitrary<TurnFacts> = fc.record({
  whenBusy: fc.constantFrom("queue", "reject", "replace", "overlap"),
  concurrency: fc.integer({ min: 1, max: 4 }),
  maxQueued: fc.integer({ min: 0, max: 3 }),
  taken: fc.integer({ min: 0, max: 5 }),
  queued: fc.integer({ min: 0, max: 8 }),
  serving: fc.boolean(),
})

/** Places in the order of arrival: those that run, then those that can start, then those that wait behind. */
const modelTurn = (facts: TurnFacts): ReturnType<typeof decideTurn> => {
  const ahead = facts.taken + facts.queued
  const startsNow = facts.serving && facts.queued === 0 && facts.taken < facts.concurrency
  if (startsNow) return "start"
  if (facts.whenBusy === "replace") return "replace"
  if (facts.whenBusy === "reject" && ahead >= facts.concurrency) return "Busy"
  const couldStart = Math.max(0, facts.concurrency - facts.taken)
  const waitingBehind = Math.max(0, facts.queued - couldStart)
  const wouldBeBehind = facts.queued >= couldStart
  return wouldBeBehind && waitingBehind >= facts.maxQueued ? "MaxQueued" : "queue"
}

describe("L9: decideTurn", () => {
  test("L9: agrees with counting places", () => {
    fc.assert(
      fc.property(turnFacts, (facts) => {
        expect(decideTurn(facts)).toBe(modelTurn(facts))
      }),
      { numRuns: 2000 },
    )
  })

  test("L9: exactly maxQueued turns wait behind those that can start, while it opens and while it serves", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 5 }),
        fc.boolean(),
        (concurrency, maxQueued, serving) => {
          let taken = 0
          let queued = 0
          for (;;) {
            const decision = decideTurn({ whenBusy: "queue", concurrency, maxQueued, taken, queued, serving })
            if (decision === "start") taken++
            else if (decision === "queue") queued++
            else break
          }
          expect(taken + queued).toBe(concurrency + maxQueued)
          expect(taken).toBe(serving ? concurrency : 0)
        },
      ),
    )
  })

  test("L6: nobody starts past one who waits", () => {
    fc.assert(
      fc.property(turnFacts, (facts) => {
        fc.pre(facts.queued > 0)
        expect(decideTurn(facts)).not.toBe("start")
      }),
    )
  })
})

const seatFacts: fc.Arbitrary<SeatFacts> = fc.record({
  seats: fc.integer({ min: 0, max: 4 }),
  maxSessions: fc.integer({ min: 1, max: 4 }),
  ownerSeats: fc.integer({ min: 0, max: 4 }),
  maxPerOwner: fc.constantFrom(1, 2, 3, Infinity),
  coming: fc.integer({ min: 0, max: 3 }),
  ownerComing: fc.integer({ min: 0, max: 3 }),
})

describe("L9: decideSeat", () => {
  test("L9: a seat only within both limits, an eviction only where nothing is coming, never the wrong victim", () => {
    fc.assert(
      fc.property(seatFacts, (facts) => {
        const decision = decideSeat(facts)
        const ownerFull = facts.ownerSeats >= facts.maxPerOwner
        const full = facts.seats >= facts.maxSessions
        expect(decision === "grant").toBe(!ownerFull && !full)
        expect(decision === "evict").toBe(!ownerFull && full && facts.coming === 0)
        expect(decision === "evictOwn").toBe(ownerFull && facts.ownerComing === 0)
        expect(decision === "wait").toBe(!ownerFull && full && facts.coming > 0)
        expect(decision === "skip").toBe(ownerFull && facts.ownerComing > 0)
      }),
      { numRuns: 2000 },
    )
  })
})
