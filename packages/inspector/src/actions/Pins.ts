/** Leases that the inspector holds, so that a session is not closed for being idle while somebody looks at it. */
import type { AnySessions, CallableSessions, SessionRef } from "@sojourn/core"

interface Pinned {
  readonly signal: AbortSignal
  readonly release: () => Promise<void>
}

export const mostPins = 100
/** What the lease is called in `explain`, events and metrics. */
const leaseName = "inspector pin"

export class Pins {
  readonly #pins = new Map<string, Map<string, Pinned>>()
  #size = 0
  get size(): number {
    return this.#size
  }
  has(kind: string, key: string): boolean {
    return this.#size > 0 && this.#pins.get(kind)?.has(key) === true
  }
  static possible(sessions: AnySessions): sessions is CallableSessions<unknown, unknown> {
    return "lease" in sessions && typeof sessions.lease === "function"
  }
  /** The lease falls silent by itself when its time is over: no timer of ours holds it. */
  async pin(sessions: CallableSessions<unknown, unknown>, ref: SessionRef, forMs: number): Promise<void> {
    const lease = await sessions.lease(ref, { name: leaseName, mustExist: true, silence: forMs })
    const before = this.#pins.get(sessions.name)?.get(ref.key)
    let ofKind = this.#pins.get(sessions.name)
    if (ofKind === undefined) this.#pins.set(sessions.name, (ofKind = new Map<string, Pinned>()))
    if (before === undefined) this.#size++
    ofKind.set(ref.key, lease)
    const pins = ofKind
    lease.signal.addEventListener(
      "abort",
      () => {
        if (pins.get(ref.key) !== lease) return
        pins.delete(ref.key)
        this.#size--
      },
      { once: true },
    )
    await before?.release()
  }
  async unpin(kind: string, key: string): Promise<boolean> {
    const ofKind = this.#pins.get(kind)
    const pinned = ofKind?.get(key)
    if (ofKind === undefined || pinned === undefined) return false
    ofKind.delete(key)
    this.#size--
    await pinned.release()
    return true
  }
  dispose(): void {
    for (const [kind, ofKind] of this.#pins) for (const key of ofKind.keys()) void this.unpin(kind, key)
  }
}
