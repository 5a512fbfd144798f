/** Who is given up, and when: by its silence, or because its slot is needed (L6, L13, L23). */
import { TaskStopped } from "../../errors.ts"
import type { Task } from "../../task/Task.ts"
import { nameOf, type Book, type Call, type Site } from "./Book.ts"

/** A stall is seen only from the next beat of the loop's pulse on. */
const longestBeat = 500
/** L13, L23: nobody is silent while the loop stands still, or while a call it made is under way. */
export const watchSilence = (book: Book, call: Call, task: Task): void => {
  const stop = task.stop.bind(task)
  task.stop = (reason) => {
    if (reason instanceof TaskStopped && reason.reason === "Silent") {
      const { timeouts } = call.site.registry.policy
      const stalls = book.stalls.filter((stall) => stall.at > task.progressAt).length
      const silent = book.now() - task.progressAt - book.stalledSince(task.progressAt) + stalls * longestBeat
      const waits = [...call.holder.calls].filter((nested) => nested.outcome === undefined)
      book.expect(
        silent >= timeouts.silence,
        `L23 ${nameOf(call)} counts as silent after ${silent} ms of the loop's time`,
      )
      book.expect(
        waits.length === 0,
        () => `L13 ${nameOf(call)} counts as silent while ${waits.map(nameOf).join()} is under way`,
      )
    }
    stop(reason)
  }
}

/** L6, L13: a slot is lost only `grace` after its turn was told to stop, and while somebody needs it. */
export const watchAbandoned = (book: Book, site: Site): void => {
  const { hangs, policy } = site.registry
  const abandon = hangs.abandon.bind(hangs)
  hangs.abandon = (task) => {
    const { generation } = task
    const call = book.byTask.get(task)
    if (call !== undefined && generation !== undefined && task.state !== "ended") {
      const life = book.byGeneration.get(generation)
      const { grace } = policy.timeouts
      const now = book.now()
      if (life !== undefined && !task.beside) life.slotsLost++
      // From Ready on it has its own grace; once its generation is closing, that one's.
      const stop = generation.phase === "live" ? call.stopSeen?.at : generation.cold?.closingSince
      if (stop !== undefined)
        book.expect(
          now - stop >= grace,
          `L6 ${nameOf(call)} is abandoned ${now - stop} ms after it was told to stop`,
        )
      // One that is silent as well is abandoned whether its slot is needed or not: its silence is no longer watched.
      if (generation.phase === "live" && life !== undefined && task.silence !== Infinity) {
        const needed = now - (life.neededSince ?? now)
        book.expect(
          needed >= grace,
          `L6 ${nameOf(call)} is abandoned although its slot was needed for only ${needed} ms`,
        )
      }
    }
    abandon(task)
  }
}
