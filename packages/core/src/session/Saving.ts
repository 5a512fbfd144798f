/**
 * State for the next life of a key (L25): loaded before a session opens, asked for at every orderly end, written by
 * compare-and-set on the version that was read. What cannot be read, or cannot be opened with, is set aside.
 */
import { runClean } from "../context.ts"
import type { Registry } from "../registry/Registry.ts"
import { memoryStore } from "../store/memoryStore.ts"
import type { SessionStore, Stored } from "../store/SessionStore.ts"
import type { Frame } from "../task/Frame.ts"
import type { Generation } from "./Generation.ts"

/** Openings with one state that may fail before the next one goes without it. */
const tries = 2

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value

export class Saving {
  readonly #registry: Registry
  readonly store: SessionStore
  /** Answers at once and runs no code of others: may be called inside a step. */
  readonly #isOurs: boolean
  /** Removals under way, by key: who loads waits for them, or it would get what was forgotten. */
  readonly #removals = new Map<string, Promise<void>>()

  constructor(registry: Registry) {
    this.#registry = registry
    this.store = registry.policy.store ?? memoryStore()
    this.#isOurs = registry.policy.store === undefined
  }

  /**
   * Calls `open` when what was saved is known, or `failed`; at once when the store answers at once. Called as a part of the
   * opening: in the clean context, in its frame.
   */
  load(generation: Generation, open: () => void, failed: (error: unknown) => void): void {
    const { key } = generation.session
    try {
      const removal = this.#removals.get(key)
      const found = removal === undefined ? this.store.load(key) : removal.then(() => this.store.load(key))
      if (isPromise(found))
        Promise.resolve(found)
          .then((stored) => this.#take(generation, stored))
          .then(open, failed)
      else {
        const setAside = this.#take(generation, found)
        if (setAside === undefined) open()
        else setAside.then(open, failed)
      }
    } catch (error) {
      failed(error)
    }
  }
  #take(generation: Generation, stored: Stored | undefined): Promise<void> | undefined {
    if (stored === undefined) return undefined
    const { session } = generation
    const cold = generation.more
    cold.version = stored.version
    if (stored.unreadable !== undefined) return this.#setAside(generation, "SnapshotUnreadable")
    if (session.cold !== undefined && session.cold.failedRestores >= tries) {
      session.cold.failedRestores = 0
      return this.#setAside(generation, "SnapshotSetAside")
    }
    cold.restored = { state: stored.state, read: false }
    return undefined
  }
  /** A store without `setAside` keeps the record until this session saves. */
  async #setAside(generation: Generation, why: "SnapshotUnreadable" | "SnapshotSetAside"): Promise<void> {
    const registry = this.#registry
    const { session } = generation
    const { version } = generation.more
    registry.events.warning("WarningRaised", generation.ref, why, {})
    registry.recorder.trouble(generation, why, undefined)
    if (version === undefined || this.store.setAside === undefined) return
    try {
      await this.store.setAside(session.key, version)
      generation.more.version = undefined
    } catch (error) {
      registry.supervision.note(session, "save", error)
    }
  }

  /** What the previous life saved; marked as read: from then on a failing open may be its fault. */
  restored(generation: Generation): unknown {
    const restored = generation.cold?.restored
    if (restored === undefined) return undefined
    restored.read = true
    return restored.state
  }

  /** The first thing a close does, under a finalizer's deadline. */
  async save(generation: Generation, ask: () => unknown): Promise<void> {
    const registry = this.#registry
    const { policy, supervision, timetable } = registry
    const { session } = generation
    const cold = generation.more
    const overdue = timetable.at("close", policy.timeouts.close / 3, () =>
      supervision.note(session, "save", new Error("Saving took longer than a third of timeouts.close.")),
    )
    try {
      const state = await ask()
      // Too late it would stand in the way of what the next generation saves.
      if (generation.gone || cold.forgets) return
      const version = await this.store.save(session.key, state, cold.version)
      if (cold.forgets) await this.#takeBack(generation, version)
      else if (version === undefined) {
        registry.events.warning("WarningRaised", generation.ref, "SnapshotConflict", {})
        registry.recorder.trouble(generation, "SnapshotConflict", undefined)
      }
    } catch (error) {
      supervision.note(session, "save", error)
    } finally {
      timetable.drop(overdue)
    }
  }
  /** Told to forget while it was being written: only its own, never what a later generation has saved (L21). */
  async #takeBack(generation: Generation, version: string | undefined): Promise<void> {
    if (version === undefined) return
    const { key } = generation.session
    const stored = await this.store.load(key)
    if (stored?.version === version) await this.forget(key, generation.cold?.finalizerFrame)
  }

  /** The next life begins with nothing. The promise is there while the store has not answered; it never rejects. */
  forget(key: string, frame?: Frame): Promise<void> | undefined {
    try {
      const removed = runClean(() => this.store.remove(key), frame)
      if (!isPromise(removed)) return undefined
      const before = this.#removals.get(key)
      const done = Promise.resolve(removed)
        .then(
          () => before,
          (error: unknown) => {
            this.#notForgotten(key, error)
            return before
          },
        )
        .finally(() => {
          if (this.#removals.get(key) === done) this.#removals.delete(key)
        })
      this.#removals.set(key, done)
      return done
    } catch (error) {
      this.#notForgotten(key, error)
      return undefined
    }
  }
  /** What a close does for that: at once where no code of others runs, otherwise as its first finalizer. */
  planForget(generation: Generation): void {
    const { key } = generation.session
    if (this.#isOurs) void this.store.remove(key)
    else generation.more.toRun.unshift(() => this.forget(key, generation.cold?.finalizerFrame))
  }
  #notForgotten(key: string, error: unknown): void {
    const session = this.#registry.sessions.get(key)
    if (session !== undefined) this.#registry.supervision.note(session, "save", error)
  }
}
