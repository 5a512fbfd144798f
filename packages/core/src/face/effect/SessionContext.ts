/**
 * The services a session's layer built, in the form that costs a turn least: putting a few of them on the caller's context
 * one by one is several times cheaper than merging two contexts.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

// One chain of additions is flattened at the ninth; from there on one merge is cheaper.
const fewServices = 6

export class SessionContext {
  /** Key, service, key, service …: exact, and nothing else of the layer's own context is kept. */
  readonly #services: ReadonlyArray<unknown>
  readonly #merged: Context.Context<never> | undefined

  constructor(built: Context.Context<never>) {
    // Which layers were built is the build's own business.
    const entries = [...built.mapUnsafe].filter(([key]) => key !== Layer.CurrentMemoMap.key)
    this.#services = entries.length > fewServices ? [] : entries.flat()
    this.#merged = entries.length > fewServices ? Context.makeUnsafe(new Map(entries)) : undefined
  }

  /** The caller's own services and references stay, the session's come on top. */
  over(caller: Context.Context<never>): Context.Context<never> {
    if (this.#merged !== undefined) return Context.merge(caller, this.#merged)
    let context = caller
    for (let at = 0; at < this.#services.length; at += 2) {
      context = Context.addUnsafe(context, this.#services[at] as string, this.#services[at + 1])
    }
    return context
  }
}
