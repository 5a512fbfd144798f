/** run, stream and resume: checks what a call says, makes its task, and hands it in. */
import {
  checkedFunction,
  resolveCall,
  resolveKept,
  resolveNames,
  streamNames,
  wholeNumber,
  type Call,
} from "../../options.ts"
import type { Registry } from "../../registry/Registry.ts"
import { resolveKey, type ResolvedKey, type SessionKey, type SessionRef } from "../../SessionKey.ts"
import type { ResumeOptions, RunOptions, StreamOptions } from "../../SessionOptions.ts"
import type { SessionStream } from "../../Sessions.ts"
import type { Lease } from "../../task/Leases.ts"
import { PromiseTask, type Work } from "./PromiseTask.ts"
import { PacedStream } from "./streams.ts"
import { StreamShelf } from "./StreamShelf.ts"
import { StreamTask } from "./StreamTask.ts"

/** Where work goes: to a key, or to one generation of it that a lease holds. */
export interface Target {
  readonly key: SessionKey | ResolvedKey
  readonly lease: Lease | undefined
  readonly call: Call
  /** Where `resume` goes on unless told otherwise. */
  readonly after: number | undefined
  readonly stream: string | undefined
}

export class Verbs {
  readonly registry: Registry
  readonly #shelf: StreamShelf
  constructor(registry: Registry) {
    this.registry = registry
    this.#shelf = new StreamShelf(registry)
  }

  run(to: Target, work: Work, options: RunOptions | undefined, name: string): Promise<unknown> {
    try {
      const call = resolveCall(to.call, options)
      return runNow(this.registry, to.key, work, call, call.name ?? (name || "run"), to.lease)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  stream(to: Target, work: Work, options: StreamOptions | undefined, name: string): SessionStream<unknown> {
    const paced = new PacedStream(this.registry.draining.signal)
    const { registry } = this
    try {
      checkedFunction("task", work)
      const kept = resolveKept(options?.resumable)
      const call = resolveCall(to.call, options, streamNames)
      const label = call.name ?? (name || "stream")
      const beside = call.whenBusy === "overlap"
      if (kept === undefined) {
        const task = new StreamTask(registry, label, beside, work, paced)
        paced.id = task.id
        paced.want = () => task.want()
        paced.leave = () => {
          registry.stops.stopForCaller(task, "Cancelled")
          registry.steps.commit()
        }
        registry.handIn.take(task, to.key, call, to.lease)
        return paced
      }
      const key = resolveKey(to.key)
      const ref = (): SessionRef => registry.find(key)?.ref ?? registry.answers.unseen(key)
      if (call.signal?.aborted === true) throw call.signal.reason
      const log = this.#shelf.open(key.canonical, kept, ref)
      const task = new StreamTask(registry, label, beside, work, log)
      log.id = task.id
      // The consumer's leaving does not cancel: its signal ends its reading alone.
      const reading = log.read(0, call.signal)
      registry.handIn.take(task, key, { ...call, signal: undefined }, to.lease)
      return reading
    } catch (error) {
      // A stream is there at once; what is wrong is told by `started` and by reading it.
      paced.told("rejected", error)
      return paced
    }
  }

  async resume(to: Target, options: ResumeOptions | undefined): Promise<SessionStream<unknown> | undefined> {
    resolveNames(options, ["after", "stream", "signal"])
    const after = checkedAfter(options?.after) ?? to.after
    const log = this.#shelf.find(
      resolveKey(to.key).canonical,
      options?.stream ?? to.stream,
      after !== undefined,
    )
    if (log === undefined) return undefined
    log.checkGap(after ?? 0)
    return log.read(after ?? 0, options?.signal ?? to.call.signal)
  }
}

/** The warm path: nothing to look at but the session. */
export const runNow = (
  registry: Registry,
  key: SessionKey | ResolvedKey,
  work: Work,
  call: Call,
  name: string,
  lease: Lease | undefined,
): Promise<unknown> => {
  try {
    checkedFunction("task", work)
    const task = new PromiseTask(registry, "turn", name, call.whenBusy === "overlap", work)
    registry.handIn.take(task, key, call, lease)
    return task.result
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Of what may not even be a function: that is told by a rejection, like all that is wrong with a call. */
export const nameOf = (work: unknown): string =>
  typeof work === "function" && typeof work.name === "string" ? work.name : ""

export const checkedAfter = (after: number | undefined): number | undefined =>
  after === undefined ? undefined : wholeNumber("after", after, 0, 0)
