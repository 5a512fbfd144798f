/** What a Promise-face `open` gets, and how it is called. */
import { runClean } from "../../context.ts"
import { checkedFunction, resolveProbe } from "../../options.ts"
import type { Driver } from "../../registry/Registry.ts"
import type { SessionRef } from "../../SessionKey.ts"
import type { CloseReason, Opening } from "../../Sessions.ts"
import type { Finalizer, Generation } from "../../session/Generation.ts"
import { isOver, keep } from "../../session/ownership.ts"
import { signalOf } from "../../session/signal.ts"
import { isThenable } from "./PromiseTask.ts"

type Release = (resource: unknown, reason: CloseReason) => unknown

class OpeningHandle implements Opening {
  readonly #generation: Generation
  constructor(generation: Generation) {
    this.#generation = generation
  }
  get #ref(): SessionRef {
    return this.#generation.ref
  }
  get name(): string {
    return this.#ref.name
  }
  get key(): string {
    return this.#ref.key
  }
  get id(): string {
    return this.#ref.id
  }
  get owner(): string | undefined {
    return this.#ref.owner
  }
  get generation(): number {
    return this.#ref.generation
  }
  get serial(): number {
    return this.#ref.serial
  }
  get signal(): AbortSignal {
    return signalOf(this.#generation)
  }
  get restored(): unknown {
    return this.#generation.session.registry.saving.restored(this.#generation)
  }
  get use(): Opening["use"] {
    const generation = this.#generation
    return (resource: unknown, release?: Release) => own(generation, resource, release) as never
  }
  get onClose(): Opening["onClose"] {
    const generation = this.#generation
    return (finalizer) => {
      checkedFunction("finalizer", finalizer)
      keep(generation, finalizer)
    }
  }
  get probe(): Opening["probe"] {
    const generation = this.#generation
    return (check, options) => {
      checkedFunction("check", check)
      const policy = resolveProbe(options)
      if (!isOver(generation)) generation.session.registry.probes.set(generation, check, policy)
    }
  }
  get save(): Opening["save"] {
    const generation = this.#generation
    return (state) => {
      checkedFunction("state", state)
      if (!isOver(generation)) generation.more.save = state
    }
  }
  get broken(): Opening["broken"] {
    const generation = this.#generation
    return (cause) => generation.session.registry.supervision.broken(generation, cause)
  }
  get end(): Opening["end"] {
    const generation = this.#generation
    return () => generation.session.registry.supervision.end(generation)
  }
}

/** Waits for the resource and owns it from then on, however late it comes. */
const own = async (
  generation: Generation,
  resource: unknown,
  release: Release | undefined,
): Promise<unknown> => {
  if (release !== undefined) checkedFunction("release", release)
  const { registry } = generation.session
  const cold = generation.more
  cold.arriving++
  try {
    const value = await resource
    keep(generation, releaser(value, release))
    if (generation.phase !== "opening" && generation.phase !== "live") throw signalOf(generation).reason
    return value
  } finally {
    cold.arriving--
    registry.guarded(() => registry.closing.workEnded(generation))
  }
}
const releaser = (value: unknown, release: Release | undefined): Finalizer => {
  if (release !== undefined) return (reason) => release(value, reason)
  if (typeof value === "object" && value !== null) {
    if (Symbol.asyncDispose in value) return () => (value as AsyncDisposable)[Symbol.asyncDispose]()
    if (Symbol.dispose in value) return () => (value as Disposable)[Symbol.dispose]()
  }
  throw new TypeError("use: give a release function, or a resource that is Disposable or AsyncDisposable.")
}

/** Calls `open` in the clean context, as a link of its own in the chain of callers. */
export const promiseDriver = (open: (session: Opening) => unknown): Driver => ({
  open: (generation) => {
    const { opening } = generation.session.registry
    runClean(() => {
      try {
        const result = open(new OpeningHandle(generation))
        if (isThenable(result)) {
          Promise.resolve(result).then(
            (resource) => opening.settled(generation, true, resource),
            (error: unknown) => opening.settled(generation, false, error),
          )
        } else opening.settled(generation, true, result)
      } catch (error) {
        opening.settled(generation, false, error)
      }
    }, generation.cold?.openFrame)
  },
  // The signal is all a promise can be told.
  abort: () => {},
})
