import fc from "fast-check"
import { expect, test } from "vitest"
import { StopRecord } from "../../src/observe/StopRecord.ts"
import { TaskRing, type Recorded, type TaskRecord } from "../../src/observe/TaskRing.ts"

const texts = fc.string({ maxLength: 3 })
const times = fc.double()
const places = fc.record({ registry: texts, key: texts, name: texts, number: fc.integer({ min: 1 }) })
const stops = fc.constantFrom(undefined, new StopRecord("Drained", "close", 1))

/** A record, whether it had started, and where its parent is known from. */
const endings = fc.record({
  record: fc.record<TaskRecord>({
    key: texts,
    name: texts,
    kind: fc.constantFrom("turn", "stream", "background"),
    number: fc.nat(),
    outcome: fc.constantFrom("succeeded", "failed", "cancelled", "timedOut", "interrupted", "rejected"),
    reason: fc.constantFrom(undefined, "Busy", "Failed"),
    stop: stops,
    parent: places,
    generation: fc.nat(),
    serial: fc.nat(),
    queuedAt: times,
    startedAt: times,
    endedAt: times,
    resumes: fc.nat(),
    suspendedMs: times,
  }),
  parent: fc.constantFrom("none", "caller", "startedBy"),
})

const withoutParent = (record: TaskRecord): object => ({ ...record, parent: undefined })

test("L16: it holds the newest, in order, as many as it is large, each as it was", () => {
  fc.assert(
    fc.property(fc.array(endings, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (all, size) => {
      const ring = new TaskRing(size)
      for (const { record, parent } of all) ring.write(...taken(record, parent))
      const wanted = all.toReversed().slice(0, size)
      const held = [...ring.newest()]
      expect(held.map(withoutParent)).toEqual(wanted.map(({ record }) => withoutParent(record)))
      // What is left of an older one in the columns of a parent is not told of.
      const parents = held.map(({ parent }) => (parent.number === 0 ? undefined : parent))
      expect(parents).toEqual(
        wanted.map(({ parent, record }) => (parent === "none" ? undefined : record.parent)),
      )
    }),
  )
})

const taken = (of: TaskRecord, parent: string): Parameters<TaskRing["write"]> => {
  const { key, name, number, registry } = of.parent
  const task: Recorded = {
    ...of,
    session: of.key === "" ? undefined : { key: of.key },
    generation: { number: of.generation, serial: of.serial },
    activity: of,
    parent:
      parent === "caller"
        ? { task: { name, number, registry: { name: registry }, session: { key } } }
        : undefined,
    extras: { stop: of.stop, ...(parent === "startedBy" ? { startedBy: of.parent } : undefined) },
  }
  return [task, of.outcome, !Number.isNaN(of.startedAt), of.endedAt, of.reason]
}
