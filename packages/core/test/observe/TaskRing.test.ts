import fc from "fast-check"
import { expect, test } from "vitest"
import { TaskRing, type TaskRecord } from "../../src/observe/TaskRing.ts"

const records = fc.array(
  fc.record<TaskRecord>({
    key: fc.string({ maxLength: 3 }),
    name: fc.string({ maxLength: 3 }),
    number: fc.nat(),
    outcome: fc.constantFrom("succeeded", "failed", "cancelled", "timedOut", "interrupted", "rejected"),
    queuedAt: fc.double(),
    startedAt: fc.double(),
    endedAt: fc.double(),
  }),
  { maxLength: 40 },
)

test("L16: it holds the newest, in order, as many as it is large", () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: 12 }), (all, size) => {
      const ring = new TaskRing(size)
      for (const of of all)
        ring.write(of.key, of.name, of.outcome, of.number, of.queuedAt, of.startedAt, of.endedAt)
      expect([...ring.newest()]).toEqual(all.toReversed().slice(0, size))
    }),
  )
})
