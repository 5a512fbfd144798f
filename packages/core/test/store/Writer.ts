/** Uses a store as a session does, and writes down each call and its answer. */
import type { SessionStore } from "../../src/index.ts"
import type { Call } from "./history.ts"

export type Step = "load" | "save" | "remove" | "setAside"

/** What a session would save. `filler` makes a torn state show. */
interface State {
  readonly name: string
  readonly filler: string
}
const isState = (state: unknown): state is State =>
  typeof state === "object" && state !== null && "name" in state && "filler" in state
const fillerOf = (name: string): string => `${name};`.repeat(40)

export class Writer {
  readonly calls: Array<Call> = []
  readonly #store: SessionStore
  readonly #key: string
  readonly #name: string
  readonly #now: () => number
  /** What it read or saved last: a session's version is that of its opening. */
  #base: { readonly name: string | undefined; readonly version: string | undefined } = {
    name: undefined,
    version: undefined,
  }
  #saves = 0

  constructor(store: SessionStore, key: string, name: string, now: () => number) {
    this.#store = store
    this.#key = key
    this.#name = name
    this.#now = now
  }

  async run(steps: Iterable<Step>): Promise<void> {
    for (const step of steps) await this.step(step)
  }

  /** `before`: told of the call when it begins, as one that has not ended. */
  async step(what: Step, before?: (call: Call) => void): Promise<Call> {
    const state = `${this.#name}${++this.#saves}`
    const base = what === "remove" || what === "load" ? undefined : this.#base.name
    const call: Call = { began: this.#now(), ended: Infinity, what, base, state }
    const index = this.calls.push(call) - 1
    before?.(call)
    const answer = await this.#do(what, state)
    return (this.calls[index] = { ...call, ...answer, ended: this.#now() })
  }

  async #do(what: Step, state: string): Promise<Partial<Call>> {
    switch (what) {
      case "load": {
        const stored = await this.#store.load(this.#key)
        this.#base = { name: nameOf(stored?.state), version: stored?.version }
        if (stored?.unreadable !== undefined) throw new Error(`unreadable: ${stored.unreadable}`)
        return { base: this.#base.name }
      }
      case "save": {
        const version = await this.#store.save(
          this.#key,
          { name: state, filler: fillerOf(state) } satisfies State,
          this.#base.version,
        )
        if (version !== undefined) this.#base = { name: state, version }
        return { saved: version !== undefined }
      }
      case "remove":
        await this.#store.remove(this.#key)
        return {}
      case "setAside":
        if (this.#base.version !== undefined) await this.#store.setAside?.(this.#key, this.#base.version)
        return {}
    }
  }
}

const nameOf = (state: unknown): string | undefined => {
  if (state === undefined) return undefined
  if (!isState(state) || state.filler !== fillerOf(state.name)) throw new Error("torn")
  return state.name
}
