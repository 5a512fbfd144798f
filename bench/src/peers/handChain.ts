/** The least code that keeps one resource per key and its tasks in order: no limits, no errors, no end. The floor. */
import type { Ledger, Resource } from "../fixture.ts"

interface Entry {
  readonly resource: Resource
  tail: Promise<unknown>
}

export class HandChain {
  readonly sessions = new Map<string, Entry>()
  private readonly open: (key: string) => Resource
  constructor(open: (key: string) => Resource) {
    this.open = open
  }

  run<A>(key: string, task: (resource: Resource) => A | PromiseLike<A>): Promise<A> {
    let entry = this.sessions.get(key)
    if (entry === undefined) {
      entry = { resource: this.open(key), tail: Promise.resolve() }
      this.sessions.set(key, entry)
    }
    const { resource } = entry
    const turn = () => task(resource)
    const result = entry.tail.then(turn, turn)
    entry.tail = result
    return result
  }

  async close(key: string, ledger: Ledger): Promise<void> {
    const entry = this.sessions.get(key)
    if (entry === undefined) return
    this.sessions.delete(key)
    await entry.tail
    ledger.close()
  }
}
