/**
 * Users' code that is under way: what virtual time alone cannot move. Time that stands still waits for it, in real time and
 * not for ever: what has not moved for a while waits for virtual time itself, or for the test.
 */
import { isThenable } from "../face/promise/PromiseTask.ts"
import type { Holder } from "./handles.ts"
import { realNow, realPause, settle } from "./realTime.ts"

export type WorkKind = "open" | "use" | "task" | "probe" | "release" | "save" | "store"

export interface Work {
  readonly kind: WorkKind
  /** In words, for what never ends. */
  readonly what: string
  readonly holder: Holder
  /** Waited for in vain, when its holder had made so much. */
  stuckAt: number | undefined
}

// Milliseconds of real time. An opening or a release rarely waits for the test; a task often does.
const patience: Readonly<Record<WorkKind, number>> = {
  open: 3000,
  use: 3000,
  release: 3000,
  save: 3000,
  store: 3000,
  task: 1000,
  probe: 1000,
}
/** Nothing is open that could move it. */
const patienceWithout = 100
/** While nothing else runs: a process that stood still has not waited. */
const longestPause = 20
/** Active in every process, or in every test runner. */
const ordinary: ReadonlySet<string> = new Set(["Immediate", "MessagePort", "PipeWrap", "TTYWrap", "Timeout"])

export class UnderWay {
  readonly #works = new Set<Work>()
  #changes = 0

  /** Runs `work` in its holder's name and notes it until it has ended. A promise it gives is looked at once, as by `await`. */
  track<A>(kind: WorkKind, what: string, holder: Holder, work: () => A): A | Promise<Awaited<A>> {
    const one: Work = { kind, what, holder, stuckAt: undefined }
    this.#works.add(one)
    this.#changes++
    const end = (): void => {
      this.#works.delete(one)
      this.#changes++
    }
    let result: A
    try {
      result = holder.run(work)
    } catch (error) {
      end()
      throw error
    }
    if (!isThenable(result)) {
      end()
      return result
    }
    const promise = Promise.resolve(result)
    promise.then(end, end)
    return promise
  }

  get all(): ReadonlyArray<Work> {
    return [...this.#works]
  }
  /** What has gone on since it was waited for in vain is waited for again. */
  async reconsider(): Promise<void> {
    await settle()
    for (const work of this.#works) if (work.stuckAt !== work.holder.made) work.stuckAt = undefined
  }

  /** Until nothing is under way that may still move by itself. */
  async quiet(): Promise<void> {
    await settle()
    let seen = this.#changes
    let waited = 0
    let at = realNow()
    for (;;) {
      const moving = this.all.filter(({ stuckAt }) => stuckAt === undefined)
      if (moving.length === 0) return
      if (seen !== this.#changes) {
        seen = this.#changes
        waited = 0
      }
      const foreign = process.getActiveResourcesInfo().some((type) => !ordinary.has(type))
      for (const work of moving) {
        const limit = foreign || work.holder.holdsAnything ? patience[work.kind] : patienceWithout
        if (waited >= limit) work.stuckAt = work.holder.made
      }
      await realPause(1)
      await settle()
      const now = realNow()
      waited += Math.min(longestPause, now - at)
      at = now
    }
  }
}
