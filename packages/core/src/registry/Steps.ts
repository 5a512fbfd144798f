/**
 * One step (L20): an event looks, decides and changes in one go; what it makes necessary outside (calling users' code,
 * setting signals, telling fibers) is put down here and carried out after the step is committed, in order. Users' code
 * may call back in: its steps are taken at once, what they make necessary joins the end of the line. A loop, not
 * recursion: thousands of queued tasks that end at once must not overflow the stack.
 */
import type { Task } from "../task/Task.ts"

type Work = Task | (() => void) | undefined
// A long run of work that makes more work must not keep what is done.
const compactAt = 4096

export class Steps {
  // Slots are used again: cutting the array to nothing would make every turn pay for a new one.
  #pending: Array<Work> = []
  #next = 0
  #end = 0
  #carryingOut = false
  /** A seat came free, a session became idle, a generation is gone: who waits for that is looked at before anything else. */
  dirty = false
  readonly #begin: (task: Task) => void
  readonly #settle: () => void
  readonly #defect: (error: unknown) => unknown
  constructor(begin: (task: Task) => void, settle: () => void, defect: (error: unknown) => unknown) {
    this.#begin = begin
    this.#settle = settle
    this.#defect = defect
  }
  begin(task: Task): void {
    this.#pending[this.#end++] = task
  }
  after(work: () => void): void {
    this.#pending[this.#end++] = work
  }
  /** Ends a step. */
  commit(): void {
    if (this.#carryingOut || (!this.dirty && this.#end === 0)) return
    this.#carryingOut = true
    while (this.dirty || this.#next < this.#end) {
      // Only a mistake of ours throws here: it must not keep what was put down for others from being carried out.
      try {
        this.#carryOut()
      } catch (error) {
        this.#defect(error)
      }
    }
    this.#next = 0
    this.#end = 0
    this.#carryingOut = false
  }
  #carryOut(): void {
    for (;;) {
      if (this.dirty) {
        this.dirty = false
        this.#settle()
      } else if (this.#next < this.#end) this.#carryOutOne()
      else return
    }
  }
  #carryOutOne(): void {
    const work = this.#pending[this.#next]
    this.#pending[this.#next++] = undefined
    if (this.#next === compactAt) {
      this.#pending.splice(0, compactAt)
      this.#next = 0
      this.#end -= compactAt
    }
    if (typeof work === "function") work()
    else if (work !== undefined) this.#begin(work)
  }
}
