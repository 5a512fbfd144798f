/** What a body sees for itself: how many run beside it, when it is told to stop, what its functions do. */
import type { Task } from "../../Sessions.ts"
import { nameOf, type Book, type Call } from "./Book.ts"
import { abortOf, type Universe } from "./universe.ts"

/** Those abandoned hold no slot any more; nobody else may be more than `concurrency`. */
export const countBodies = (book: Book, call: Call, life: NonNullable<Call["life"]>): void => {
  const { concurrency } = call.site.registry.policy
  let slots = 0
  for (const other of life.bodies) if (other.task?.beside === false && !other.task.abandoned) slots++
  book.expect(
    slots <= concurrency,
    () => `L6 ${slots} bodies overlap on #${life.generation.serial}, concurrency ${concurrency}`,
  )
}

export const watchStop = (universe: Universe, call: Call, task: Task): void => {
  const { signal } = task
  const seen = (): void => {
    call.stopSeen ??= { at: universe.clock.now, reason: signal.reason }
  }
  void abortOf(signal).then(seen)
}

/** A task's own functions throw once it is over, and only then. */
export const live = (book: Book, call: Call, use: () => void): void => {
  try {
    use()
  } catch (error) {
    if (call.task?.state !== "ended")
      book.broken(`L2 a function of the running ${nameOf(call)} threw ${String(error)}`)
  }
}
