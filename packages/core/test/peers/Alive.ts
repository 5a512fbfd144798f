/** Counts what is alive: from the moment it is built until the last of its finalizers has ended. */
import type { Opening } from "../../src/Sessions.ts"

export class Alive {
  readonly #ofKey = new Map<string, number>()
  built = 0
  now = 0
  most = 0
  mostOfOneKey = 0

  begin(key: string): void {
    this.built++
    this.most = Math.max(this.most, ++this.now)
    const ofKey = (this.#ofKey.get(key) ?? 0) + 1
    this.#ofKey.set(key, ofKey)
    this.mostOfOneKey = Math.max(this.mostOfOneKey, ofKey)
  }
  end(key: string): void {
    this.now--
    this.#ofKey.set(key, (this.#ofKey.get(key) ?? 0) - 1)
  }

  /** For the `before` of a world: counts each resource; `finalizer` is how long letting it go takes. */
  readonly counting =
    (finalizer: (opening: Opening) => unknown = () => {}) =>
    (opening: Opening): void => {
      this.begin(opening.key)
      opening.onClose(async () => {
        await finalizer(opening)
        this.end(opening.key)
      })
    }
}
