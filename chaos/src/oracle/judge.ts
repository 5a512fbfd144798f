/** Every rule, over a finished round. */
import type { Round, Violation } from "../book/types.ts"
import { Facts, violations, type Rule } from "./Facts.ts"
import { leaks, neverTwo, releases, saved } from "./lives.ts"
import { outcomes } from "./outcomes.ts"
import { untold } from "./overdue.ts"
import { balance, closes, drains, events, leases } from "./registries.ts"
import { concurrency, once, order, probes } from "./turns.ts"

const rules: Readonly<Record<string, Rule>> = {
  told: ({ round }) => untold(round),
  outcomes,
  once,
  order,
  concurrency,
  probes,
  neverTwo,
  releases,
  leaks,
  saved,
  balance,
  events,
  drains,
  closes,
  leases,
}

export const judge = (round: Round): ReadonlyArray<Violation> => {
  const facts = new Facts(round)
  return Object.entries(rules).flatMap(([name, rule]) => violations(name, rule(facts)))
}
