/**
 * All deadlines of a registry. One list per length of time is sorted by construction, so that adding and removing are
 * O(1) and need no timer of their own: two alarms ring for the earliest head of all. Whatever is due at one moment is
 * carried out in a fixed order, idle last (semantics 3d).
 */
import type { Alarm, TimeSource } from "./TimeSource.ts"

/** The order in which what is due at the same moment is carried out. */
export const ranks = [
  "caller",
  "queue",
  "seat",
  "silence",
  "stall",
  "grace",
  "open",
  "close",
  "probe",
  "lease",
  "recycle",
  "backoff",
  "forget",
  "drain",
  "idle",
] as const
export type Rank = (typeof ranks)[number]

/** Nobody waits for these, so they do not keep the process alive. */
const unheld: ReadonlySet<Rank> = new Set(["silence", "lease", "recycle", "forget", "idle"])

/** Something with a deadline; in at most one list at a time. */
export abstract class Timed {
  dueAt = 0
  list: TimedList | undefined = undefined
  earlier: Timed | undefined = undefined
  later: Timed | undefined = undefined
  /** Carried out when its time has come; it has already left its list. */
  abstract due(now: number): void
}

/** A deadline whose action is a closure; for the cold paths. */
class Appointment extends Timed {
  readonly #action: (now: number) => void
  constructor(action: (now: number) => void) {
    super()
    this.#action = action
  }
  due(now: number): void {
    this.#action(now)
  }
}

export class TimedList {
  readonly order: number
  readonly duration: number
  readonly held: boolean
  /** Held on to by somebody, so it is not dropped while it is empty. */
  kept = false
  readonly #table: Timetable
  first: Timed | undefined = undefined
  last: Timed | undefined = undefined
  size = 0
  constructor(table: Timetable, rank: Rank, duration: number) {
    this.#table = table
    this.order = ranks.indexOf(rank)
    this.duration = duration
    this.held = !unheld.has(rank)
  }
  add(entry: Timed, now: number): void {
    const last = this.last
    // Never due: what an infinite list keeps is its order, and since when.
    entry.dueAt = this.duration === Infinity ? now : now + this.duration
    entry.list = this
    entry.earlier = last
    entry.later = undefined
    this.last = entry
    if (last === undefined) {
      this.first = entry
      if (this.duration !== Infinity) this.#table.headChanged(this, entry.dueAt)
    } else last.later = entry
    this.size++
    if (this.held) this.#table.held(1)
  }
  remove(entry: Timed): void {
    const { earlier, later } = entry
    if (earlier === undefined) this.first = later
    else earlier.later = later
    if (later === undefined) this.last = earlier
    else later.earlier = earlier
    entry.list = undefined
    entry.earlier = undefined
    entry.later = undefined
    this.size--
    if (this.held) this.#table.held(-1)
  }
}

/** Thirty-five years: longer ones are no different, and no longer whole numbers once a rank is added. */
const longest = 2 ** 40
// More distinct lengths than this: empty lists are dropped at the next ring.
const keptLists = 64
/** Idle closing works in slices, so that a wave of expiries never stops the loop. */
const sliceSize = 64
const sliceMs = 1

export class Timetable {
  readonly #time: TimeSource
  readonly #lists = new Map<number, TimedList>()
  readonly #alarms: Record<"held" | "free", { alarm: Alarm; at: number }>
  readonly #afterRing: () => void
  readonly #defect: (error: unknown) => unknown
  #heldCount = 0
  #ringing = false

  /** `afterRing` commits what the due entries changed; `defect` is told what one of them threw. */
  constructor(time: TimeSource, afterRing: () => void, defect: (error: unknown) => unknown) {
    this.#defect = defect
    this.#time = time
    this.#afterRing = afterRing
    this.#alarms = {
      held: { alarm: time.alarm(() => this.#rang("held")), at: Infinity },
      free: { alarm: time.alarm(() => this.#rang("free")), at: Infinity },
    }
  }

  /** The list for this rank and length. An infinite one is never due: it only keeps its order. */
  list(rank: Rank, duration: number): TimedList {
    if (duration === Infinity) return new TimedList(this, rank, duration)
    const whole = Math.min(longest, Math.ceil(duration))
    const key = whole * 16 + ranks.indexOf(rank)
    let list = this.#lists.get(key)
    if (list === undefined) this.#lists.set(key, (list = new TimedList(this, rank, whole)))
    return list
  }

  /** The same, to be held on to. */
  keptList(rank: Rank, duration: number): TimedList {
    const list = this.list(rank, duration)
    list.kept = true
    return list
  }

  /** Calls `action` after `duration`; undefined for an infinite one. */
  at(rank: Rank, duration: number, action: (now: number) => void): Timed | undefined {
    if (duration === Infinity) return undefined
    const entry = new Appointment(action)
    this.list(rank, duration).add(entry, this.#time.now())
    return entry
  }

  drop(entry: Timed | undefined): void {
    entry?.list?.remove(entry)
  }

  /** An alarm that was set for what has left its list since would keep all this until it rings. */
  rest(): void {
    for (const slot of Object.values(this.#alarms)) {
      slot.at = Infinity
      slot.alarm.clear()
    }
    this.#setAlarms()
  }

  headChanged(list: TimedList, at: number): void {
    const slot = list.held ? this.#alarms.held : this.#alarms.free
    if (at < slot.at && !this.#ringing) this.#set(slot, at)
  }

  held(change: 1 | -1): void {
    const before = this.#heldCount
    this.#heldCount += change
    if (before === 0 || this.#heldCount === 0) this.#alarms.held.alarm.hold(this.#heldCount > 0)
  }

  #set(slot: { alarm: Alarm; at: number }, at: number): void {
    slot.at = at
    slot.alarm.set(at - this.#time.now())
  }

  #rang(which: "held" | "free"): void {
    this.#alarms[which].at = Infinity
    this.#ringing = true
    let unfinished = false
    try {
      unfinished = this.#carryOut()
    } catch (error) {
      this.#defect(error)
    }
    this.#ringing = false
    this.#afterRing()
    this.#setAlarms()
    if (unfinished) {
      this.#alarms.free.at = -Infinity
      this.#time.soon(() => this.#rang("free"))
    }
  }

  /** `true` when idle sessions are left for the next slice. */
  #carryOut(): boolean {
    const began = this.#time.now()
    let idleOnes = 0
    for (;;) {
      const now = this.#time.now()
      const list = this.#mostUrgent(now)
      if (list === undefined) return false
      if (list.order === ranks.length - 1 && (++idleOnes > sliceSize || now - began > sliceMs)) return true
      const entry = list.first
      if (entry === undefined) return false
      list.remove(entry)
      try {
        entry.due(now)
      } catch (error) {
        // A mistake of ours: the other deadlines are carried out all the same.
        this.#defect(error)
      }
      // What an expired session makes due is carried out at once, or a slice would be as long as the wave.
      if (list.order === ranks.length - 1) this.#afterRing()
    }
  }

  #mostUrgent(now: number): TimedList | undefined {
    let best: TimedList | undefined
    for (const list of this.#lists.values()) {
      const at = list.first?.dueAt
      if (at === undefined || at > now) continue
      if (best === undefined || isBefore(list, at, best)) best = list
    }
    return best
  }

  #setAlarms(): void {
    let held = Infinity
    let free = Infinity
    for (const [key, list] of this.#lists) {
      const at = list.first?.dueAt
      if (at === undefined) {
        if (!list.kept && this.#lists.size > keptLists) this.#lists.delete(key)
      } else if (list.held) held = Math.min(held, at)
      else free = Math.min(free, at)
    }
    if (held < this.#alarms.held.at) this.#set(this.#alarms.held, held)
    if (free < this.#alarms.free.at) this.#set(this.#alarms.free, free)
  }
}

/** Within one millisecond the rank decides, otherwise the time. */
const isBefore = (list: TimedList, at: number, other: TimedList): boolean => {
  const tick = Math.ceil(at)
  const otherTick = Math.ceil(other.first?.dueAt ?? Infinity)
  return tick === otherTick ? list.order < other.order : tick < otherTick
}
