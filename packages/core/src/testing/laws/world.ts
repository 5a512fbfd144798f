/** A resource that is counted, and a registry in virtual time over it: what the laws are held against. */
import { createSessionsWith } from "../../face/createSessions.ts"
import type { SessionEvent } from "../../observe/SessionEvent.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { SessionOptions } from "../../SessionOptions.ts"
import type { Opening, Sessions } from "../../Sessions.ts"
import { VirtualClock } from "../VirtualClock.ts"

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

/** One of the two ways to write programs against the engine, in the shape of the Promise face. */
export interface Face {
  readonly face: "Promise face" | "Effect face"
  /** A registry in virtual time over counted resources; `before` runs inside the opening, before the resource exists. */
  readonly world: (
    policy?: Policy,
    before?: (opening: Opening) => unknown,
    clock?: VirtualClock,
  ) => World<Thing>
}
export const promiseFace: Face = { face: "Promise face", world }
