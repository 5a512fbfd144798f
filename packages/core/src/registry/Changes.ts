/**
 * Which sessions were used or changed their state since somebody last looked, so that who watches a hundred thousand of them
 * looks at those few. There only while somebody watches; without it a turn pays for one look at a field.
 */
import type { Session } from "../session/Session.ts"
import type { Registry } from "./Registry.ts"

export class Changes {
  readonly #registry: Registry
  readonly #watchers = new Set<ChangeList>()
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** A look that comes later must find it. */
  note(session: Session): void {
    session.noted = true
    for (const watcher of this.#watchers) watcher.changed.add(session)
  }
  add(): ChangeList {
    const list = new ChangeList(this, this.#registry.sessions)
    this.#watchers.add(list)
    return list
  }
  remove(list: ChangeList): void {
    list.clear()
    this.#watchers.delete(list)
    if (this.#watchers.size === 0 && this.#registry.changes === this) this.#registry.changes = undefined
  }
}

/** What one watcher has not seen yet. */
export class ChangeList {
  readonly changed = new Set<Session>()
  readonly #changes: Changes
  /** Those that were there before, as far as they have not been visited. */
  #others: Iterator<Session> | undefined
  /** Who came since stands behind them in the map. */
  #othersLeft: number
  constructor(changes: Changes, sessions: ReadonlyMap<string, Session>) {
    this.#changes = changes
    this.#others = sessions.values()
    this.#othersLeft = sessions.size
  }

  /** Each that changed; then at most `others` of those that were there before anybody watched. */
  take(visit: (session: Session, changed: boolean) => void, others: number): void {
    const taken = [...this.changed]
    this.changed.clear()
    for (const session of taken) {
      session.noted = false
      visit(session, true)
    }
    for (let left = others; left > 0 && this.#others !== undefined; left--) {
      const next = this.#othersLeft-- > 0 ? this.#others.next() : undefined
      if (next === undefined || next.done === true) this.#others = undefined
      else {
        // Noted by who watched before.
        next.value.noted = false
        visit(next.value, false)
      }
    }
  }
  clear(): void {
    this.changed.clear()
    this.#others = undefined
  }
  end(): void {
    this.#changes.remove(this)
  }
}
