/** What a live task keeps: very many that never end, side by side in one session. */
import { createSessions } from "@sojourn/core"
import type { Ledger } from "./fixture.ts"
import type { HeapCase } from "./heapCases.ts"
import { manySessions } from "./peers/sojourn.ts"
import { countNothing } from "./works/metrics.ts"

const liveTasks =
  (isCounted: boolean): HeapCase =>
  (keys, ledger: Ledger) => {
    const sessions = createSessions({ name: "bench", open: () => ledger, ...manySessions })
    if (!isCounted) countNothing(sessions)
    const never = new Promise<never>(() => {})
    const task = (resource: Ledger): Promise<never> => {
      resource.turns += 1
      return never
    }
    return {
      fill: () => {
        for (let i = 0; i < keys.length; i++)
          void sessions.run("one", task, { whenBusy: "overlap", silence: "Infinity", name: "task" })
        // They have begun when a turn after them has.
        return sessions.run("one", () => {})
      },
      live: () => sessions.explain("one").tasks.length,
    }
  }

export const taskHeapCases: { readonly [name: string]: HeapCase } = {
  "a live task": liveTasks(true),
  "a live task, nothing counted": liveTasks(false),
}
