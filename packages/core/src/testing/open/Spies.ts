/**
 * Sees by which calls a thing is released: the usual methods of things acquired are watched while a check runs. A handle of
 * Node's needs none of that, the ledger sees it go.
 */
import { AsyncLocalStorage } from "node:async_hooks"
import { EventEmitter } from "node:events"
import { isDisposable, type Acquired } from "../Acquired.ts"
import { isCalledByUser } from "../place.ts"

const methods: ReadonlyArray<string | symbol> = [
  Symbol.asyncDispose,
  Symbol.dispose,
  "close",
  "end",
  "destroy",
  "dispose",
  "disconnect",
  "kill",
  "quit",
  "release",
  "stop",
  "terminate",
]

interface Call {
  readonly value: object
  /** The release or finalizer it was made in. */
  readonly within: Acquired
  /** Written by users, not a step of a library's own release. */
  readonly byUser: boolean
}

export class Spies {
  readonly #releasing = new AsyncLocalStorage<Acquired>()
  readonly #calls: Array<Call> = []
  readonly #watched = new Set<object>()
  readonly #restore: Array<() => void> = []

  readonly releasing = <A>(one: Acquired, release: () => A): A => this.#releasing.run(one, release)

  watch(value: unknown): void {
    if (typeof value !== "object" || value === null || this.#watched.has(value)) return
    this.#watched.add(value)
    for (const method of methods) this.#watchMethod(value, method)
  }
  #watchMethod(value: object, method: string | symbol): void {
    try {
      const original: unknown = Reflect.get(value, method)
      if (typeof original !== "function") return
      const own = Object.getOwnPropertyDescriptor(value, method)
      const note = this.#note
      const spy = function (this: unknown, ...args: ReadonlyArray<unknown>): unknown {
        note(value)
        return Reflect.apply(original, this, args)
      }
      // Left alone where it cannot be: then less is seen.
      const isWatched = Reflect.defineProperty(value, method, {
        value: spy,
        configurable: true,
        writable: true,
        enumerable: own?.enumerable ?? false,
      })
      if (isWatched)
        this.#restore.push(() => {
          Reflect.deleteProperty(value, method)
          if (own !== undefined) Reflect.defineProperty(value, method, own)
        })
    } catch {
      // A property that throws when it is read is no release.
    }
  }
  readonly #note = (value: object): void => {
    const within = this.#releasing.getStore()
    if (within !== undefined) this.#calls.push({ value, within, byUser: isCalledByUser() })
  }

  /** Where it is released a second time, by users' own code. */
  releasedAgain(one: Acquired): Acquired | undefined {
    const calls = this.#calls.filter(({ value }) => value === one.value)
    if (!calls.some(({ within }) => within === one)) return undefined
    return calls.find(({ byUser, within }) => byUser && within !== one)?.within
  }
  /** Nobody's: it could be released, nothing was done to that end, and the ledger would not see it. */
  isForgotten(resource: unknown): boolean {
    if (!isDisposable(resource) || resource instanceof EventEmitter || isNodesOrIterator(resource))
      return false
    return !this.#calls.some(({ value }) => value === resource)
  }

  restore(): void {
    for (const restore of this.#restore.splice(0)) restore()
  }
}

const isNodesOrIterator = (value: object): boolean =>
  "hasRef" in value || Symbol.iterator in value || Symbol.asyncIterator in value
