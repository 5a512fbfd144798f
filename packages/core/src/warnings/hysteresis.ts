/**
 * From what single looks say to a warning that is raised and cleared: it must have been so for some looks in a row, and
 * must be gone for three times as many. What cannot be told changes nothing.
 */

/**
 * `bad`: as its definition says; `certain`: so bad that one look is enough; `between`: not bad any more, but not good enough to
 * clear; `gone`: what it was about is over, which clears it at once; `unknown`: nothing can be said.
 */
export type Verdict = "bad" | "certain" | "between" | "good" | "gone" | "unknown"

/** How far a warning has come. */
export interface Gate {
  readonly active: boolean
  /** Looks in a row that speak for the other side. */
  readonly streak: number
}

export const calm: Gate = { active: false, streak: 0 }
const raised: Gate = { active: true, streak: 0 }

/** So many times as long as a warning takes to be raised, it takes to be cleared. */
export const clearsAfter = 3

/** `looks`: how many in a row raise it, at least 1. */
export const step = (gate: Gate, verdict: Verdict, looks: number): Gate => {
  if (verdict === "unknown") return gate
  if (verdict === "gone") return calm
  return gate.active ? stepActive(gate, verdict, looks) : stepCalm(gate, verdict, looks)
}

const stepCalm = ({ streak }: Gate, verdict: Verdict, looks: number): Gate => {
  if (verdict === "certain") return raised
  if (verdict !== "bad") return calm
  return streak + 1 >= looks ? raised : { active: false, streak: streak + 1 }
}
const stepActive = ({ streak }: Gate, verdict: Verdict, looks: number): Gate => {
  if (verdict !== "good") return raised
  return streak + 1 >= looks * clearsAfter ? calm : { active: true, streak: streak + 1 }
}
