/**
 * Seats: the right to hold a generation, at most `maxSessions` of them and `maxPerOwner` for one owner; and the line of
 * sessions that wait for one (L9). A seat given back, or a session become idle, is offered at once.
 */
import type { Session } from "../session/Session.ts"
import type { Task } from "../task/Task.ts"
import { decideSeat, type SeatDecision } from "./admission.ts"
import type { Registry } from "./Registry.ts"

interface OwnerSeats {
  seats: number
  /** Closings under way that will give a seat back. */
  coming: number
  /** At most `maxPerOwner`, so finding the longest idle one is bounded. */
  readonly sessions: Set<Session>
}

/** Closings under way that no earlier waiter counts on. */
interface Counted {
  coming: number
  readonly ownerComing: Map<string, number>
}

// A line longer than what could ever be seated within the wait is only a delayed refusal.
const shortestLine = 64

export class Seats {
  readonly #registry: Registry
  readonly #line = new Set<Session>()
  readonly #owners: Map<string, OwnerSeats> | undefined
  readonly #going = new Set<Session>()
  taken = 0

  constructor(registry: Registry) {
    this.#registry = registry
    this.#owners = registry.policy.maxPerOwner === Infinity ? undefined : new Map()
  }

  /** Owners of whom something is kept. */
  get owners(): number {
    return this.#owners?.size ?? 0
  }
  /** Sessions whose closing gives a seat back. */
  get going(): number {
    return this.#going.size
  }
  get waiting(): number {
    return this.#line.size
  }
  place(session: Session): number {
    let place = 0
    for (const other of this.#line) {
      if (other === session) return place
      place++
    }
    return place
  }

  join(session: Session): void {
    const registry = this.#registry
    registry.recall(session)
    registry.setState(session, "Waiting")
    this.#line.add(session)
    registry.heapWatch.begin()
    registry.steps.dirty = true
    // Somebody is served at once in most cases: clocks are set only for those still in line afterwards.
    this.offer()
    if (session.state !== "Waiting") return
    if (this.#line.size > Math.max(shortestLine, registry.policy.maxSessions)) return this.#turnAway(session)
    for (const task of session.queue ?? []) this.limit(task)
    for (const task of session.arrivals ?? []) this.limit(task)
  }

  /** The clock of one who waits in line. */
  limit(task: Task): void {
    const { policy, timetable } = this.#registry
    timetable.drop(task.extras?.seat)
    task.more.seat = timetable.at("seat", policy.timeouts.seat, () => {
      if (task.state === "queued" && task.session?.state === "Waiting") this.#refuse(task, task.session)
    })
  }

  leave(session: Session): void {
    this.#line.delete(session)
  }

  /** Nobody gets a seat, however many are free: why. */
  get shut(): "MaxHeap" | "MaxLeaked" | undefined {
    const { closing, heapWatch, policy } = this.#registry
    if (heapWatch.over) return "MaxHeap"
    return closing.leaked >= policy.maxLeaked ? "MaxLeaked" : undefined
  }

  /** Gives seats to those in line, in order; makes room where nothing is coming. */
  offer(): void {
    if (this.#line.size === 0 || this.shut !== undefined) return
    const { breaker, closing, opening, time } = this.#registry
    const counted = { coming: this.#going.size, ownerComing: new Map<string, number>() }
    for (const session of this.#line) {
      if (session.state !== "Waiting") continue
      // Nobody is closed for an opening that would be refused.
      const outage = breaker.isOpen ? breaker.refusal(session, time.now()) : undefined
      if (outage !== undefined) {
        opening.notNow(session, outage)
        continue
      }
      const decision = this.#decide(session, counted)
      if (decision !== "evict" && decision !== "evictOwn") {
        this.#carryOut(session, decision, counted)
        continue
      }
      const victim =
        decision === "evict" ? this.#registry.longestIdle() : this.#longestIdleOf(this.#ownerOf(session))
      // The registry is full and nothing is idle: nobody further back can be served either.
      if (victim === undefined && decision === "evict") return
      if (victim === undefined) continue
      closing.begin(victim, "Evicted", "forget")
      // One that had nothing to release is gone already, and its seat is for the one it was evicted for.
      if (!victim.seated && this.#decide(session, counted) === "grant") this.#grant(session)
    }
  }
  #decide(session: Session, counted: Counted): SeatDecision {
    const { policy } = this.#registry
    const owner = this.#ownerOf(session)
    return decideSeat({
      seats: this.taken,
      maxSessions: policy.maxSessions,
      ownerSeats: owner?.seats ?? 0,
      maxPerOwner: policy.maxPerOwner,
      coming: counted.coming,
      ownerComing: owner === undefined ? 0 : (counted.ownerComing.get(session.owner ?? "") ?? owner.coming),
    })
  }
  #carryOut(session: Session, decision: "grant" | "wait" | "skip", counted: Counted): void {
    if (decision === "grant") return this.#grant(session)
    counted.coming--
    const owner = this.#ownerOf(session)
    if (decision === "skip" && owner !== undefined) {
      const left = counted.ownerComing.get(session.owner ?? "") ?? owner.coming
      counted.ownerComing.set(session.owner ?? "", left - 1)
    }
  }

  release(session: Session): void {
    if (!session.seated) return
    session.seated = false
    this.taken--
    const owner = this.#ownerOf(session)
    if (owner !== undefined) {
      owner.seats--
      owner.sessions.delete(session)
    }
    this.noteGoing(session)
    if (owner?.seats === 0) this.#owners?.delete(session.owner ?? "")
    this.#registry.steps.dirty = true
  }

  /** Keeps count of the closings that will give their seat back. */
  noteGoing(session: Session): void {
    const going = session.seated && session.state === "Stopping" && session.next !== "reopen"
    if (going === this.#going.has(session)) return
    const owner = this.#ownerOf(session)
    if (going) this.#going.add(session)
    else this.#going.delete(session)
    if (owner !== undefined) owner.coming += going ? 1 : -1
  }

  #grant(session: Session): void {
    this.#line.delete(session)
    session.seated = true
    this.taken++
    const owner = this.#seatedOwner(session)
    if (owner !== undefined) {
      owner.seats++
      owner.sessions.add(session)
    }
    const { timetable, opening } = this.#registry
    for (const task of session.queue ?? []) timetable.drop(task.extras?.seat)
    for (const task of session.arrivals ?? []) timetable.drop(task.extras?.seat)
    opening.schedule(session)
  }

  #ownerOf(session: Session): OwnerSeats | undefined {
    if (this.#owners === undefined || session.owner === undefined) return undefined
    return this.#owners.get(session.owner)
  }
  /** Made with an owner's first seat and dropped with the last: whoever never gets one leaves nothing behind (L26). */
  #seatedOwner(session: Session): OwnerSeats | undefined {
    if (this.#owners === undefined || session.owner === undefined) return undefined
    let owner = this.#owners.get(session.owner)
    if (owner === undefined)
      this.#owners.set(session.owner, (owner = { seats: 0, coming: 0, sessions: new Set() }))
    return owner
  }

  #longestIdleOf(owner: OwnerSeats | undefined): Session | undefined {
    let longest: Session | undefined
    for (const session of owner?.sessions ?? []) {
      if (session.idle && (longest === undefined || session.dueAt < longest.dueAt)) longest = session
    }
    return longest
  }

  #whatIsFull(session: Session): "MaxHeap" | "MaxLeaked" | "MaxSessions" | "MaxPerOwner" {
    const { shut } = this
    if (shut !== undefined) return shut
    const owner = this.#ownerOf(session)
    return owner !== undefined && owner.seats >= this.#registry.policy.maxPerOwner
      ? "MaxPerOwner"
      : "MaxSessions"
  }

  #turnAway(session: Session): void {
    this.#registry.waiters.refuseAll(session, (task) => this.#refuse(task, session))
  }
  #refuse(task: Task, session: Session): void {
    const reason = this.#whatIsFull(session)
    this.#registry.answers.refuse(task, reason, this.#retryAfter(reason, session))
  }
  #retryAfter(
    reason: "MaxHeap" | "MaxLeaked" | "MaxSessions" | "MaxPerOwner",
    session: Session,
  ): number | undefined {
    const { heapWatch, monitor } = this.#registry
    switch (reason) {
      case "MaxHeap":
        return heapWatch.retryAfter
      case "MaxLeaked":
        return undefined
      case "MaxSessions":
        return monitor.seatRetryAfter(this.#going.size > 0)
      case "MaxPerOwner":
        return monitor.seatRetryAfter((this.#ownerOf(session)?.coming ?? 0) > 0)
    }
  }
}
