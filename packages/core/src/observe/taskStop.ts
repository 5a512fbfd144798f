import type { TaskRef, TaskStop } from "./Live.ts"
import type { StopRecord, TaskPlace } from "./StopRecord.ts"

export const refOfPlace = ({ key, name, number, registry }: TaskPlace): TaskRef => ({
  registry,
  key,
  id: `t${number}`,
  name,
})

/** A call made from a call made from ...: who looks wants to see where it began, not a thousand steps. */
const longestChain = 32

/** A stop as observers read it. */
export const taskStop = (
  stop: StopRecord,
  /** Of the task's own registry. */
  epochOf: (at: number) => number,
): TaskStop => {
  const { abandonedAt, by, callerToldAt, closeReason, endedAt, reason, toldAt } = stop
  const epoch = (at: number | undefined): number | undefined => (at === undefined ? undefined : epochOf(at))
  const from: Array<TaskStop["from"][number]> = []
  for (let { outer } = stop; outer !== undefined && from.length < longestChain; outer = outer.stop?.outer)
    from.push({
      task: refOfPlace(outer.task),
      reason: outer.stop?.reason,
      by: outer.stop?.by,
      closeReason: outer.stop?.closeReason,
    })
  return {
    reason,
    by,
    closeReason,
    from,
    at: epoch(toldAt),
    callerToldAt: epoch(callerToldAt),
    abandonedAt: epoch(abandonedAt),
    endedAt: epoch(endedAt),
    acknowledgedMs: toldAt === undefined || endedAt === undefined ? undefined : endedAt - toldAt,
  }
}
