/**
 * Sees the fibers of tasks run, through the public hook of Effect's scheduler: it asks before every operation whether the
 * fiber should yield, and the first operation of a fiber that goes on has the number 1. Whatever the scheduler of the caller
 * is, it goes on deciding; fibers that a task forks have its context, and so count for it.
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { closeWatch } from "../../observe/closeWatch.ts"
import { noteFiber } from "./CurrentTask.ts"

class SeeingScheduler implements Scheduler.Scheduler {
  readonly #own: Scheduler.Scheduler
  constructor(own: Scheduler.Scheduler) {
    this.#own = own
  }
  get executionMode(): "sync" | "async" {
    return this.#own.executionMode
  }
  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    if (fiber.currentOpCount === 1) noteFiber(fiber)
    return this.#own.shouldYield(fiber)
  }
  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.#own.makeDispatcher()
  }
}

const over = new WeakMap<Scheduler.Scheduler, SeeingScheduler>()
const seeing = (own: Scheduler.Scheduler): SeeingScheduler => {
  let made = over.get(own)
  if (made === undefined) over.set(own, (made = new SeeingScheduler(own)))
  return made
}

/**
 * Fibers share what they look up in a context: with another scheduler they look it all up again, which costs a turn half a
 * microsecond, unless its caller's context has been here before. Most callers share a few contexts; one that is made for a
 * request never comes again, and remembering it would cost more still. So not each is remembered (who comes often soon is),
 * and only so many that are not known are seen in a second: under a millisecond of work.
 */
const known = new WeakMap<Context.Context<never>, Context.Context<never>>()
const rememberEach = 16
const mostPerSecond = 2000
const second = { since: -Infinity, unknown: 0 }

/** The caller's context, so that fibers in it are seen; or as it is, when too many were. `now`: monotonic. */
export const seen = (caller: Context.Context<never>, now: number): Context.Context<never> => {
  const before = known.get(caller)
  if (before !== undefined) return before
  // Registries may have clocks of their own.
  if (Math.abs(now - second.since) >= 1000) {
    second.since = now
    second.unknown = 0
  }
  if (second.unknown >= mostPerSecond && !closeWatch.on) return caller
  const own = Context.get(caller, Scheduler.Scheduler)
  // A call made from inside a task.
  if (own instanceof SeeingScheduler) return caller
  const made = Context.add(caller, Scheduler.Scheduler, seeing(own))
  if (++second.unknown % rememberEach === 0) known.set(caller, made)
  return made
}
