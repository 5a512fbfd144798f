/**
 * A resource that is counted, and work that can hang, break, ignore its signal or come late: what the law tests look at.
 */
import { createSessionsWith } from "../../src/face/createSessions.ts"
import type { Registry } from "../../src/registry/Registry.ts"
import type { SessionOptions } from "../../src/SessionOptions.ts"
import type { Opening, Sessions } from "../../src/Sessions.ts"
import type { SessionEvent } from "../../src/observe/SessionEvent.ts"
import { VirtualClock } from "./VirtualClock.ts"

/** A promise settled from outside. */
export interface Gate<A = void> {
  readonly promise: Promise<A>
  readonly open: (value: A) => void
  readonly fail: (error: unknown) => void
}
export const gate = <A = void>(): Gate<A> => {
  const { promise, resolve, reject } = Promise.withResolvers<A>()
  promise.catch(() => {})
  return { promise, open: resolve, fail: reject }
}

export interface Thing {
  readonly key: string
  readonly serial: number
  readonly opening: Opening
}

/** What happened to the resources, in order: `open a#1`, `release a#1`. */
export class Ledger {
  readonly lines: Array<string> = []
  readonly #live = new Map<string, number>()
  opened = 0
  /** The most resources of one key that were alive at once. */
  mostOfOneKey = 0
  acquire(opening: Opening): Thing {
    this.opened++
    this.lines.push(`open ${opening.key}#${opening.serial}`)
    const live = (this.#live.get(opening.key) ?? 0) + 1
    this.#live.set(opening.key, live)
    this.mostOfOneKey = Math.max(this.mostOfOneKey, live)
    return { key: opening.key, serial: opening.serial, opening }
  }
  release(thing: Thing): void {
    this.lines.push(`release ${thing.key}#${thing.serial}`)
    this.#live.set(thing.key, (this.#live.get(thing.key) ?? 0) - 1)
  }
  get live(): number {
    let sum = 0
    for (const count of this.#live.values()) sum += count
    return sum
  }
}

export interface World<R> {
  readonly sessions: Sessions<R>
  readonly registry: Registry
  readonly clock: VirtualClock
  readonly ledger: Ledger
  readonly events: Array<SessionEvent>
  /** The tags of the lifecycle events, such as `Opened`, `Closed Idle`. */
  readonly story: () => ReadonlyArray<string>
}

export type Policy = Omit<SessionOptions<Thing>, "name" | "open">

/** A registry in virtual time over counted resources; `before` runs inside `open`, before the resource exists. */
export const world = (
  policy: Policy = {},
  before?: (opening: Opening) => unknown,
  clock?: VirtualClock,
): World<Thing> => {
  const ledger = new Ledger()
  return worldOf<Thing>(
    {
      ...policy,
      name: "test",
      open: async (opening) => {
        await before?.(opening)
        return opening.use(ledger.acquire(opening), (thing) => ledger.release(thing))
      },
    },
    ledger,
    clock,
  )
}

/** Registries that share one time are given one clock. */
export const worldOf = <R>(
  options: SessionOptions<R>,
  ledger = new Ledger(),
  clock = new VirtualClock(),
): World<R> => {
  // The middle of the jitter's range, always: half of a delay plus a quarter.
  const { sessions, registry } = createSessionsWith(options, { clock, random: () => 0.5 })
  const events: Array<SessionEvent> = []
  sessions.subscribe((event) => events.push(event))
  return { sessions, registry, clock, ledger, events, story: () => storyOf(events) }
}

export const storyOf = (events: ReadonlyArray<SessionEvent>): ReadonlyArray<string> =>
  events
    .filter((event) => !event._tag.startsWith("Task") && !event._tag.startsWith("Lease"))
    .map((event) => ("reason" in event ? `${event._tag} ${event.reason}` : event._tag))

/** How a promise stands, without waiting for it. */
export const outcomeOf = async (promise: Promise<unknown>): Promise<string> => {
  const pending = Symbol("pending")
  try {
    const value = await Promise.race([
      promise,
      new Promise((resolve) => setImmediate(() => resolve(pending))),
    ])
    return value === pending ? "pending" : `value ${String(value)}`
  } catch (error) {
    return describe(error)
  }
}
const describe = (error: unknown): string => {
  if (typeof error === "object" && error !== null && "_tag" in error) {
    return `${String(error._tag)} ${"reason" in error ? String(error.reason) : ""}`.trim()
  }
  return error instanceof Error ? `error ${error.message}` : `error ${String(error)}`
}
