/** What one generation owns: everything given to `use` and `onClose`, from then until its release has ended. */
import type { CloseReason, Opening } from "../Sessions.ts"
import type { Holder } from "./handles.ts"
import { placeHere } from "./place.ts"
import type { UnderWay } from "./UnderWay.ts"

/** `lost`: it never came to be, or its opening was told that it came too late. */
type AcquiredState = "arriving" | "held" | "releasing" | "released" | "lost"

export interface Acquired {
  readonly verb: "use" | "onClose"
  /** 1, 2, 3 … in its opening, each verb by itself. */
  readonly number: number
  readonly place: string
  readonly holder: Holder
  state: AcquiredState
  value: unknown
  /** What its release threw. */
  error: unknown
  /** Moments of its opening, counted: called, there, being released. */
  readonly calledAt: number
  arrivedAt: number
  releasedAt: number
}

/** What a check does with the things acquired. Every one of them may throw. */
export interface AcquiredTap {
  /** Whether `value` is noted; otherwise nothing keeps a released resource in memory. */
  readonly keepsValues?: boolean
  /** The engine has it, and it has perhaps not arrived. */
  readonly called?: (one: Acquired) => void
  readonly arrived?: (one: Acquired) => void
  /** Wraps the release. */
  readonly releasing?: <A>(one: Acquired, release: () => A) => A
  /** It has really been released. */
  readonly released?: (one: Acquired) => void
}

type Release = (value: unknown, reason: CloseReason) => unknown

export class Acquisitions {
  readonly all: Array<Acquired> = []
  readonly #holder: Holder
  readonly #underWay: UnderWay
  readonly #tap: AcquiredTap
  #moments = 0

  constructor(holder: Holder, underWay: UnderWay, tap: AcquiredTap) {
    this.#holder = holder
    this.#underWay = underWay
    this.#tap = tap
  }

  /** The same functions with notes taken; what is wrong with an argument is told by the engine. */
  around(session: Opening): Pick<Opening, "use" | "onClose"> {
    const use = async (resource: unknown, release?: Release): Promise<unknown> => {
      if (release !== undefined && typeof release !== "function") return session.use(resource, release)
      const one = this.#begin("use")
      const given = this.#underWay.track("use", `what was given to use at ${one.place}`, this.#holder, () =>
        session.use(resource, (value, reason) => {
          this.#note(one, value)
          return this.#release(one, () => (release ?? dispose)(value, reason))
        }),
      )
      this.#tap.called?.(one)
      let value: unknown
      try {
        value = await given
      } catch (error) {
        if (one.state === "arriving") one.state = "lost"
        throw error
      }
      // The engine's own complaint about a resource that cannot be released.
      if (release === undefined && !isDisposable(value)) {
        one.state = "lost"
        return session.use(value as Disposable)
      }
      if (one.state === "arriving") one.state = "held"
      one.arrivedAt = ++this.#moments
      this.#note(one, value)
      this.#tap.arrived?.(one)
      return value
    }
    return {
      use,
      onClose: (finalizer) => {
        if (typeof finalizer !== "function") return session.onClose(finalizer)
        const one = this.#begin("onClose")
        one.state = "held"
        one.arrivedAt = one.calledAt
        session.onClose((reason) => this.#release(one, () => finalizer(reason)))
        this.#tap.called?.(one)
      },
    }
  }

  #note(one: Acquired, value: unknown): void {
    if (this.#tap.keepsValues === true) one.value = value
  }
  #begin(verb: Acquired["verb"]): Acquired {
    const one: Acquired = {
      verb,
      number: this.all.filter((other) => other.verb === verb).length + 1,
      place: placeHere(),
      holder: this.#holder,
      state: "arriving",
      value: undefined,
      error: undefined,
      calledAt: ++this.#moments,
      arrivedAt: Infinity,
      releasedAt: Infinity,
    }
    this.all.push(one)
    return one
  }

  #release(one: Acquired, release: () => unknown): unknown {
    one.state = "releasing"
    one.releasedAt = ++this.#moments
    const ended = (): void => {
      one.state = "released"
      this.#tap.released?.(one)
    }
    const failed = (error: unknown): never => {
      one.error = error
      one.state = "released"
      throw error
    }
    const { releasing } = this.#tap
    let result: unknown
    try {
      result = this.#underWay.track("release", `the release given at ${one.place}`, this.#holder, () =>
        releasing === undefined ? release() : releasing(one, release),
      )
    } catch (error) {
      return failed(error)
    }
    if (result instanceof Promise) return result.then(ended, failed)
    return ended()
  }
}

export const isDisposable = (value: unknown): value is Disposable | AsyncDisposable =>
  typeof value === "object" && value !== null && (Symbol.asyncDispose in value || Symbol.dispose in value)

/** As `use` does it without a release. */
const dispose = (value: unknown): unknown => {
  if (!isDisposable(value)) return undefined
  return Symbol.asyncDispose in value ? value[Symbol.asyncDispose]() : value[Symbol.dispose]()
}
