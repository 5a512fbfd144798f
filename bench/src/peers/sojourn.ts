/** Ours, Promise face. Everything that can be watched is on, as it always is. */
import { createSessions, type Policy, type Sessions } from "@sojourn/core"
import type { Ledger, Resource } from "../fixture.ts"

/** The default of 10 000 sessions is policy, not cost. */
export const manySessions = { maxSessions: 10_000_000 } as const

export const makeSessions = (ledger: Ledger, policy: Policy = {}): Sessions<Resource> =>
  createSessions({
    name: "bench",
    open: ({ id, onClose }) => {
      onClose(ledger.close)
      return ledger.open(id)
    },
    ...manySessions,
    ...policy,
  })
