/**
 * What the role `operate` may do to what runs. Each action is recorded before it begins, and says what has really happened:
 * "interrupting" until the work has ended, not when it was told to.
 */
import type { CancelOptions, SessionRef } from "@sojourn/core"
import type { Inspection, LiveSession, LiveTask } from "@sojourn/core/inspect"
import type { Registries } from "../live/Registries.ts"
import type { Warned } from "../live/Warned.ts"
import type { Named, Names } from "../names/Names.ts"
import type { Action, ActionRecord } from "../protocol/actions.ts"
import { bounds, type ActionName } from "../protocol/words.ts"
import type { RowContext } from "../rows/context.ts"
import { Refusal } from "../safety/Refusal.ts"
import { cleaned, errorText, withoutKey } from "../safety/text.ts"
import { matchingTasks } from "../windows/tasksWindow.ts"
import { ActionLog, type Done, shown } from "./ActionLog.ts"
import { mostPins, Pins } from "./Pins.ts"
import { Tracked } from "./Tracked.ts"

/** Milliseconds: so long an answer waits for the end of what was asked for. */
const answerWithin = 1000
/** Milliseconds of one step of what is done to many. */
const stepTime = 2

/** Told before anything is done: what it throws or rejects with keeps it from being done. */
export type OnAction = (action: ActionName, session: SessionRef | undefined, record: ActionRecord) => unknown

interface Parts {
  readonly registries: Registries
  readonly names: Names
  readonly warned: Warned
  readonly context: RowContext
  readonly pins: Pins
  readonly recording: RecordingSwitch
}
interface RecordingSwitch {
  /** Whether it was on before. */
  readonly turn: (on: boolean) => boolean
}
/** What is to be done once it is recorded; gives the work that is under way, if any. */
interface Plan {
  readonly session?: SessionRef | undefined
  readonly named?: Named | undefined
  readonly run: (done: Done) => Promise<unknown> | undefined
}

export class Actions {
  readonly log: ActionLog = new ActionLog()
  readonly #parts: Parts
  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws Refusal */
  async act(action: Action, by: string, onAction: OnAction | undefined): Promise<ActionRecord> {
    return this.#carryOut(action, await this.#plan(action), by, onAction)
  }
  /**
   * What is answered with something else than a record. `work` is what goes into the record as well.
   *
   * @throws Refusal
   */
  async profile<A>(by: string, onAction: OnAction | undefined, work: () => Promise<A>): Promise<A> {
    let made: { readonly is: A } | undefined
    let failed: { readonly error: unknown } | undefined
    const plan: Plan = {
      run: async (done) => {
        try {
          made = { is: await work() }
        } catch (error) {
          failed = { error }
          throw error
        }
        done.record.affected = 1
        done.end("ended")
      },
    }
    await this.#carryOut({ action: "profile" }, plan, by, onAction, Infinity)
    if (made === undefined) throw failed?.error ?? new Refusal("failed")
    return made.is
  }

  async #carryOut(
    action: Action | { readonly action: "profile" },
    plan: Plan,
    by: string,
    onAction: OnAction | undefined,
    wait: number = answerWithin,
  ): Promise<ActionRecord> {
    const { named } = plan
    const done = this.log.begin({
      action: action.action,
      by,
      kind: "kind" in action ? action.kind : undefined,
      session: named?.hash,
      shown: named?.shown,
      task: action.action === "cancelTask" ? action.task : undefined,
      warning: "warning" in action ? cleaned(action.warning, 64) : undefined,
      state: "asked",
    })
    try {
      await onAction?.(action.action, plan.session, shown(done))
    } catch {
      this.log.forget(done)
      throw new Refusal("not-recorded")
    }
    let work: Promise<unknown> | undefined
    try {
      work = plan.run(done)
    } catch (error) {
      if (error instanceof Refusal) {
        this.log.forget(done)
        throw error
      }
      this.#failed(done, error, named)
    }
    if (work === undefined) {
      if (done.record.endedAt === undefined && done.refresh === undefined) done.end("nothing")
    } else await within(wait, this.#settled(work, done, named))
    return shown(done)
  }

  async #settled(work: Promise<unknown>, done: Done, named: Named | undefined): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#failed(done, error, named)
    }
  }
  #failed(done: Done, error: unknown, named: Named | undefined): void {
    const text = errorText(error)
    done.record.error = cleaned(named === undefined ? text : withoutKey(text, named), bounds.text)
    done.end("failed")
  }

  async #plan(action: Action): Promise<Plan> {
    switch (action.action) {
      case "cancelTask":
        return this.#cancelTask(await this.#live(action.kind, action.hash), action.task)
      case "cancelTasks":
        return this.#cancelTasks(action)
      case "restart":
      case "close":
        return this.#end(await this.#live(action.kind, action.hash), action.action, action.finishWithinMs)
      case "evictIdle":
        return this.#evictIdle(this.#registry(action.kind), action.expected, action.idleForMs ?? 0)
      case "drain":
        return this.#drain(this.#registry(action.kind), action)
      case "pin":
        return this.#pin(await this.#live(action.kind, action.hash), action.forMs ?? bounds.pin.usual)
      case "unpin":
        return this.#unpin(await this.#live(action.kind, action.hash))
      case "mute":
      case "unmute":
        return this.#mute(action)
      case "startRecording":
      case "stopRecording":
        return this.#record(action.action === "startRecording")
    }
  }
  #registry(kind: string): Inspection {
    const inspection = this.#parts.registries.find(kind)
    if (inspection === undefined) throw new Refusal("not-found", { detail: "There is no such registry." })
    return inspection
  }
  async #live(kind: string, hash: string): Promise<Found> {
    const inspection = this.#registry(kind)
    const named = await this.#parts.names.find(inspection, hash)
    if (named === undefined) throw new Refusal("not-found", { detail: "There is no such session." })
    return { inspection, named, ref: refOf(inspection, named) }
  }

  #cancelTask({ inspection, named, ref }: Found, id: string): Plan {
    return {
      named,
      session: ref,
      run: (done) => {
        const task = inspection.find(named.key)?.task(id)
        return task === undefined ? undefined : this.#interrupt(done, [{ inspection, ref, tasks: [task] }])
      },
    }
  }
  #cancelTasks({ expected, filter }: Extract<Action, { readonly action: "cancelTasks" }>): Plan {
    const found = (): ReadonlyArray<OfSession> => {
      const { context, registries } = this.#parts
      const groups = new Map<string, { inspection: Inspection; ref: SessionRef; tasks: Array<LiveTask> }>()
      let count = 0
      matchingTasks(registries.all(), filter, context, (session, task, inspection) => {
        count++
        const name = `${inspection.name}/${session.key}`
        const group = groups.get(name)
        if (group !== undefined) group.tasks.push(task)
        else groups.set(name, { inspection, ref: session.ref, tasks: [task] })
      })
      if (count > expected) throw new Refusal("count-differs", { count: Math.min(count, bounds.bulk) })
      return [...groups.values()]
    }
    // Refused before it is recorded; what has come since then is refused after.
    found()
    return { run: (done) => this.#interrupt(done, found()) }
  }
  /** A little at a time. */
  async #interrupt(done: Done, groups: ReadonlyArray<OfSession>): Promise<void> {
    const count = groups.reduce((sum, { tasks }) => sum + tasks.length, 0)
    if (count === 0) return done.end("nothing")
    const tracked = new Tracked(
      groups.map(({ inspection, ref, tasks }) => ({ inspection, key: ref.key, tasks })),
    )
    done.record.state = "interrupting"
    done.record.affected = count
    let told = false
    done.refresh = () => {
      const { abandoned, underWay } = tracked.look()
      done.record.unended = underWay + abandoned
      if (!told || underWay > 0) return
      if (abandoned === 0) done.end("ended")
      // It may end yet, and is then said to have.
      else done.record.state = "abandoned"
    }
    const ends: Array<Promise<unknown>> = []
    let until = performance.now() + stepTime
    for (const group of groups)
      for (const options of cancelling(group)) {
        ends.push(group.inspection.sessions.cancel(group.ref, options))
        // After it, never before: what a step decides and what it does must not come apart.
        if (performance.now() <= until) continue
        await new Promise((resolve) => setTimeout(resolve))
        until = performance.now() + stepTime
      }
    told = true
    await Promise.all(ends)
    done.refresh?.()
  }

  #end({ inspection, named, ref }: Found, verb: "restart" | "close", finishWithin = 0): Plan {
    return {
      named,
      session: ref,
      run: async (done) => {
        done.record.state = verb === "close" ? "closing" : "restarting"
        done.record.unended = 1
        const report = await inspection.sessions[verb](ref, { finishWithin })
        done.record.unended = report?.leaked === true ? 1 : 0
        if (report === undefined) return done.end("nothing")
        done.record.affected = 1
        done.record.leaked = report.leaked
        const [error] = report.errors
        if (error !== undefined) done.record.error = cleaned(withoutKey(errorText(error), named), bounds.text)
        done.end("ended")
      },
    }
  }
  #evictIdle(inspection: Inspection, most: number, idleForMs: number): Plan {
    return {
      run: (done) => {
        const before = inspection.now()
        const evicted = inspection.evictIdle(most, idleForMs)
        done.record.affected = evicted
        if (evicted === 0) return undefined
        done.record.state = "closing"
        const closing = new Map<LiveSession, number>()
        inspection.each((session) => {
          if (session.state === "Closing" && (session.closingSince ?? 0) >= before - 1)
            closing.set(session.keep(), session.ref.serial)
        })
        done.refresh = () => {
          for (const [session, serial] of closing)
            if (session.state !== "Closing" || session.ref.serial !== serial) closing.delete(session)
          done.record.unended = closing.size
          if (closing.size === 0) done.end("ended")
        }
        return undefined
      },
    }
  }
  #drain(inspection: Inspection, action: Extract<Action, { readonly action: "drain" }>): Plan {
    if (action.confirm !== action.kind)
      throw new Refusal("not-confirmed", { detail: "`confirm` is not the registry's name." })
    return {
      run: async (done) => {
        done.record.state = "draining"
        const { finishWithinMs } = action
        const report = await inspection.sessions.drain(
          finishWithinMs === undefined ? {} : { finishWithin: finishWithinMs },
        )
        done.record.affected = report.closed
        done.record.unended = report.leaked.length
        done.record.leaked = report.leaked.length > 0
        done.end("ended")
      },
    }
  }
  #pin({ inspection, named, ref }: Found, forMs: number): Plan {
    const { pins } = this.#parts
    const { sessions } = inspection
    if (!Pins.possible(sessions))
      throw new Refusal("not-possible", { detail: "Sessions of this registry cannot be leased." })
    if (inspection.find(named.key)?.state !== "Ready")
      throw new Refusal("not-possible", { detail: "Only a session that is ready can be pinned." })
    if (pins.size >= mostPins && !pins.has(inspection.name, named.key))
      throw new Refusal("not-possible", { detail: `At most ${mostPins} sessions are pinned at once.` })
    return {
      named,
      session: ref,
      run: async (done) => {
        await pins.pin(sessions, ref, forMs)
        done.record.affected = 1
        done.record.until = Date.now() + forMs
        done.end("ended")
      },
    }
  }
  #unpin({ inspection, named, ref }: Found): Plan {
    return {
      named,
      session: ref,
      run: async (done) => {
        const released = await this.#parts.pins.unpin(inspection.name, named.key)
        done.record.affected = released ? 1 : 0
        done.end(released ? "ended" : "nothing")
      },
    }
  }
  #record(on: boolean): Plan {
    return {
      run: (done) => {
        const changed = this.#parts.recording.turn(on) !== on
        done.record.affected = changed ? 1 : 0
        done.end(changed ? "ended" : "nothing")
        return undefined
      },
    }
  }
  #mute(action: Extract<Action, { readonly action: "mute" | "unmute" }>): Plan {
    const { warned } = this.#parts
    const { kind, warning } = action
    return {
      run: (done) => {
        let muted = true
        if (action.action === "unmute") muted = warned.unmute(warning, kind)
        else {
          const forMs = action.forMs ?? bounds.mute.usual
          try {
            warned.mute(warning, kind, forMs)
          } catch {
            throw new Refusal("not-found", { detail: "There is no such warning." })
          }
          done.record.until = Date.now() + forMs
        }
        done.record.affected = muted ? 1 : 0
        done.end(muted ? "ended" : "nothing")
        return undefined
      },
    }
  }
}

interface Found {
  readonly inspection: Inspection
  readonly named: Named
  readonly ref: SessionRef
}
interface OfSession {
  readonly inspection: Inspection
  readonly ref: SessionRef
  readonly tasks: ReadonlyArray<LiveTask>
}

const refOf = (inspection: Inspection, { id, key, owner }: Named): SessionRef => ({
  name: inspection.name,
  key,
  id,
  owner,
  generation: 0,
  serial: 0,
})

/** One call for all turns of a session, if these are all it has: each call looks at every task of it. */
function* cancelling({ inspection, ref, tasks }: OfSession): Generator<CancelOptions> {
  const ids = new Set(tasks.map(({ id }) => id))
  if (tasks.length > 8) {
    const session = inspection.find(ref.key)
    let all = true
    for (const { id, kind } of session?.tasks() ?? [])
      if ((kind === "turn" || kind === "stream") && !ids.has(id)) all = false
    if (all) {
      for (const { id, kind } of tasks) if (kind === "turn" || kind === "stream") ids.delete(id)
      yield {}
    }
  }
  for (const task of ids) yield { task }
}

/** It goes on; only nobody waits for it any longer. */
const within = async (ms: number, work: Promise<void>): Promise<void> => {
  if (ms === Infinity) return work
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, over])
  clearTimeout(timer)
}
