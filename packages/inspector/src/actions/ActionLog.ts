/** What was done through the inspector: the last ones, each with what has come of it so far. */
import type { ActionRecord } from "../protocol/actions.ts"

const kept = 200

type Writable<T> = { -readonly [K in keyof T]: T[K] | undefined }
/** An action under way. */
export class Done {
  readonly record: Writable<ActionRecord>
  /** Looks again how far it is; undefined when it is over. */
  refresh: (() => void) | undefined = undefined
  constructor(record: Writable<ActionRecord>) {
    this.record = record
  }
  end(state: ActionRecord["state"]): void {
    this.refresh = undefined
    this.record.state = state
    this.record.endedAt = Date.now()
  }
}

export class ActionLog {
  readonly #done: Array<Done> = []
  readonly #run = Math.random().toString(36).slice(2, 8)
  #count = 0

  begin(record: Omit<Writable<ActionRecord>, "id" | "startedAt" | "affected" | "unended">): Done {
    const done = new Done({
      id: `${this.#run}-${++this.#count}`,
      startedAt: Date.now(),
      affected: 0,
      unended: 0,
      ...record,
    })
    this.#done.push(done)
    if (this.#done.length > kept) this.#done.shift()
    return done
  }
  /** It was not carried out after all. */
  forget(done: Done): void {
    const at = this.#done.indexOf(done)
    if (at !== -1) this.#done.splice(at, 1)
  }
  find(id: string): ActionRecord | undefined {
    const done = this.#done.find(({ record }) => record.id === id)
    return done === undefined ? undefined : shown(done)
  }
  /** Newest first. */
  all(): ReadonlyArray<ActionRecord> {
    return this.#done.map(shown).toReversed()
  }
}

export const shown = (done: Done): ActionRecord => {
  done.refresh?.()
  return { ...done.record } as ActionRecord
}
