/** A value that can be watched. Fit for `useSyncExternalStore`: `get` gives the same object until it changes. */
export interface Readable<T> {
  readonly get: () => T
  readonly subscribe: (listener: () => void) => () => void
}

export interface Writable<T> extends Readable<T> {
  readonly set: (value: T) => void
}

/** One listener that throws keeps no other from being told. */
export class Store<T> implements Writable<T> {
  #value: T
  readonly #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  readonly get = (): T => this.#value

  readonly set = (value: T): void => {
    if (Object.is(value, this.#value)) return
    this.#value = value
    // Who begins to listen now is told of the next change.
    for (const listener of Array.from(this.#listeners))
      try {
        listener()
      } catch (error) {
        reportError(error)
      }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** How many listen. */
  get watchers(): number {
    return this.#listeners.size
  }
}
