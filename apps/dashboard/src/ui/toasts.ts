/** Short answers to what a person has done. They stay until they are dismissed, as long as there are few. */
import { Store, type Readable } from "../state/Store.ts"

export interface Toast {
  readonly id: number
  readonly tone: "info" | "good" | "bad"
  readonly text: string
}

/** More than these and the oldest goes. */
const most = 4

export class Toasts implements Readable<ReadonlyArray<Toast>> {
  readonly #list = new Store<ReadonlyArray<Toast>>([])
  #id = 0

  readonly get = (): ReadonlyArray<Toast> => this.#list.get()
  readonly subscribe = (listener: () => void): (() => void) => this.#list.subscribe(listener)

  /** Gives what changes or removes it: `interrupting…` becomes `ended` in its place. */
  add(tone: Toast["tone"], text: string): number {
    this.#id += 1
    this.#list.set([...this.get(), { id: this.#id, tone, text }].slice(-most))
    return this.#id
  }

  change(id: number, tone: Toast["tone"], text: string): void {
    if (this.get().some((toast) => toast.id === id))
      this.#list.set(this.get().map((toast) => (toast.id === id ? { id, tone, text } : toast)))
    else this.add(tone, text)
  }

  remove(id: number): void {
    this.#list.set(this.get().filter((toast) => toast.id !== id))
  }
}
