import fc from "fast-check"
import { expect, test } from "vitest"
import { afterGone, joinClose, mayFollow, transitions } from "../../src/session/lifecycle.ts"
import type { LifeState, Next } from "../../src/session/Session.ts"

const states = Object.keys(transitions) as ReadonlyArray<LifeState>
const nexts = ["forget", "reopen", "quarantine"] as const satisfies ReadonlyArray<Next>

test("L20: every state can be reached from Dormant, and can come to rest again", () => {
  const reachable = (from: LifeState): ReadonlySet<LifeState> => {
    const seen = new Set<LifeState>([from])
    for (const state of seen) for (const next of transitions[state]) seen.add(next)
    return seen
  }
  for (const state of states) {
    expect(reachable("Dormant")).toContain(state)
    expect(reachable(state)).toContain("Dormant")
  }
})

test("L3: nothing opens or serves but after a seat, and never straight from one generation to the next", () => {
  const intoOpening = states.filter((state) => mayFollow(state, "Opening"))
  expect(intoOpening).toEqual(["Waiting", "Backoff", "Stopping"])
  expect(states.filter((state) => mayFollow(state, "Ready"))).toEqual(["Opening"])
  expect(transitions.Ready).toEqual(["Stopping"])
  for (const state of states) expect(mayFollow(state, state)).toBe(false)
})

const facts = fc.record({
  next: fc.constantFrom(...nexts),
  waitedFor: fc.boolean(),
  eager: fc.boolean(),
  accepting: fc.boolean(),
  seated: fc.boolean(),
})

test("L24: only a replaced generation keeps its seat, and only when somebody waits or it is rebuilt eagerly", () => {
  fc.assert(
    fc.property(facts, (of) => {
      const then = afterGone(of)
      expect(then === "quarantine").toBe(of.next === "quarantine")
      expect(then === "reopen").toBe(
        of.next === "reopen" && of.seated && (of.waitedFor || (of.eager && of.accepting)),
      )
      if (of.next === "forget") expect(then).toBe(of.waitedFor ? "rejoin" : "forget")
      // Nobody who waits is forgotten, and nothing is opened for nobody.
      if (then === "forget") expect(of.waitedFor).toBe(false)
      if (then === "rejoin") expect(of.waitedFor).toBe(true)
    }),
  )
})

test("L24: joining an end only ever turns reopen into forget, and doing it twice changes nothing more", () => {
  expect(nexts.map(joinClose)).toEqual(["forget", "forget", "quarantine"])
  for (const next of nexts) expect(joinClose(joinClose(next))).toBe(joinClose(next))
})
