/** The Promise face's verbs: run, stream, call, lease, resume, and the handles that have the key filled in. */
import { checkedFunction, milliseconds, resolveCall, resolveKept, resolveNames, wholeNumber, type Call } from "../../options.ts"
import type { Registry } from "../../registry/Registry.ts"
import { resolveKey, type SessionKey, type SessionRef } from "../../SessionKey.ts"
import type {
  AtOptions,
  Handlers,
  LeaseOptions,
  ResumeOptions,
  RunOptions,
  StreamHandlers,
  StreamOptions,
} from "../../SessionOptions.ts"
import type { CallableSession, Calls, Session, Sessions, SessionStream, Lease as UserLease } from "../../Sessions.ts"
import type { Lease } from "../../task/Leases.ts"
import type { Control } from "../control.ts"
import { leaseHandle } from "./leaseHandle.ts"
import { LeaseTask } from "./LeaseTask.ts"
import { PromiseTask, type Work } from "./PromiseTask.ts"
import { PacedStream } from "./streams.ts"
import { StreamShelf } from "./StreamShelf.ts"
import { StreamTask } from "./StreamTask.ts"

interface Definition {
  readonly call: Call
  readonly handlers: Handlers<never>
  readonly streams: StreamHandlers<never>
}
/** Where work goes: to a key, or to one generation of it that a lease holds. */
export interface Target {
  readonly key: SessionKey
  readonly lease: Lease | undefined
  readonly call: Call
  readonly after: number | undefined
}

export interface Verbs {
  readonly run: (to: Target, work: Work, options: RunOptions | undefined, name: string) => Promise<unknown>
  readonly stream: (to: Target, work: Work, options: StreamOptions | undefined, name: string) => SessionStream<unknown>
  readonly resume: (to: Target, options: ResumeOptions | undefined) => Promise<SessionStream<unknown> | undefined>
  readonly calls: (to: Target) => Calls<unknown, unknown>
}

export const sessionsOver = <R, H, S>(registry: Registry, base: Control, definition: Definition): Sessions<R, H, S> => {
  const shelf = new StreamShelf(registry)
  const verbs = makeVerbs(registry, shelf, definition)
  const to = (key: SessionKey): Target => ({ key, lease: undefined, call: definition.call, after: undefined })

  const at = (key: SessionKey, defaults?: AtOptions): Session<R, H, S> => {
    resolveKey(key)
    const target: Target = {
      key,
      lease: undefined,
      call: resolveCall(definition.call, defaults, ["after"]),
      after: checkedAfter(defaults?.after),
    }
    return sessionHandle(verbs, base, target) as Session<R, H, S>
  }
  const lease = async (key: SessionKey, options?: LeaseOptions): Promise<UserLease<Session<R, H, S>>> => {
    resolveNames(options, ["name", "signal", "silence", "mustExist"])
    const call = resolveCall(definition.call, options)
    const silence = milliseconds("silence", options?.silence, registry.policy.timeouts.lease, 1)
    const held = await new Promise<Lease>((resolve, reject) => {
      registry.handIn.take(new LeaseTask(registry, call.name ?? "lease", resolve, reject), key, { ...call, silence })
    })
    const target: Target = { key, lease: held, call: definition.call, after: undefined }
    return leaseHandle(registry, held, sessionHandle(verbs, base, target) as Session<R, H, S>)
  }
  return {
    ...base,
    run: ((key: SessionKey, work: Work, options?: RunOptions) =>
      options === undefined
        ? runNow(registry, key, work, definition.call, nameOf(work) || "run", undefined)
        : verbs.run(to(key), work, options, nameOf(work))) as Sessions<R>["run"],
    stream: ((key: SessionKey, work: Work, options?: StreamOptions) =>
      verbs.stream(to(key), work, options, nameOf(work))) as Sessions<R>["stream"],
    resume: (key, options) => verbs.resume(to(key), options),
    call: (key) => verbs.calls(to(key)) as Calls<H, S>,
    lease,
    at,
  }
}

const sessionHandle = (verbs: Verbs, base: Control, to: Target): Session<unknown> & CallableSession<unknown, unknown> => ({
  key: to.key,
  run: ((work: Work, options?: RunOptions) => verbs.run(to, work, options, nameOf(work))) as Session<unknown>["run"],
  stream: ((work: Work, options?: StreamOptions) => verbs.stream(to, work, options, nameOf(work))) as Session<unknown>["stream"],
  resume: (options) => verbs.resume(to, options),
  call: verbs.calls(to),
  cancel: (options) => base.cancel(to.key, options),
  close: (options) => base.close(to.key, options),
})

/** Of what may not even be a function: that is told by a rejection, like all that is wrong with a call. */
const nameOf = (work: unknown): string => (typeof work === "function" && typeof work.name === "string" ? work.name : "")

/** The warm path: no options, nothing to look at but the session. */
const runNow = (
  registry: Registry,
  key: SessionKey,
  work: Work,
  call: Call,
  name: string,
  lease: Lease | undefined,
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    checkedFunction("task", work)
    const task = new PromiseTask(registry, "turn", name, call.whenBusy === "overlap", work, resolve, reject)
    registry.handIn.take(task, key, call, lease)
  })

const makeVerbs = (registry: Registry, shelf: StreamShelf, definition: Definition): Verbs => {
  const run: Verbs["run"] = async (to, work, options, name) => {
    const call = resolveCall(to.call, options)
    return runNow(registry, to.key, work, call, call.name ?? (name || "run"), to.lease)
  }

  const stream: Verbs["stream"] = (to, work, options, name) => {
    const paced = new PacedStream()
    try {
      checkedFunction("task", work)
      const kept = resolveKept(options?.resumable)
      const call = resolveCall(to.call, options, ["resumable"])
      const label = call.name ?? (name || "stream")
      const beside = call.whenBusy === "overlap"
      if (kept === undefined) {
        const task = new StreamTask(registry, label, beside, work, paced)
        paced.id = task.id
        paced.want = () => task.want()
        paced.leave = () => {
          registry.turns.stopForCaller(task, "Cancelled")
          registry.steps.commit()
        }
        registry.handIn.take(task, to.key, call, to.lease)
        return paced
      }
      const { canonical } = resolveKey(to.key)
      const ref = (): SessionRef => registry.find(resolveKey(to.key))?.ref ?? registry.turns.unseen(resolveKey(to.key))
      if (call.signal?.aborted === true) throw call.signal.reason
      const log = shelf.open(canonical, kept, ref)
      const task = new StreamTask(registry, label, beside, work, log)
      log.id = task.id
      // The consumer's leaving does not cancel: its signal ends its reading alone.
      const reading = log.read(0, call.signal)
      registry.handIn.take(task, to.key, { ...call, signal: undefined }, to.lease)
      return reading
    } catch (error) {
      // A stream is there at once; what is wrong is told by `started` and by reading it.
      paced.told("rejected", error)
      return paced
    }
  }

  const resume: Verbs["resume"] = async (to, options) => {
    resolveNames(options, ["after", "stream", "signal"])
    const after = checkedAfter(options?.after) ?? to.after
    const log = shelf.find(resolveKey(to.key).canonical, options?.stream, after !== undefined)
    if (log === undefined) return undefined
    log.checkGap(after ?? 0)
    return log.read(after ?? 0, options?.signal ?? to.call.signal)
  }

  const prototype = callsPrototype(definition, { run, stream })
  return { run, stream, resume, calls: (to) => Object.create(prototype, { [target]: { value: to } }) as Calls<unknown, unknown> }
}

// No handler's name can hide it.
const target = Symbol("target")

/** Functions are made when they are read, so that destructuring is safe and unread ones cost nothing. */
const callsPrototype = (definition: Definition, verbs: Pick<Verbs, "run" | "stream">): object => {
  const prototype: object = Object.create(null)
  const define = (name: string, make: (to: Target) => unknown): void => {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { readonly [target]: Target }) {
        return make(this[target])
      },
    })
  }
  for (const [name, handler] of Object.entries(definition.handlers)) {
    define(name, (to) => (input: unknown, options?: RunOptions) => {
      const work: Work = (resource, task) => handler(resource as never, input, task)
      return verbs.run(to, work, options, name)
    })
  }
  for (const [name, handler] of Object.entries(definition.streams)) {
    define(name, (to) => (input: unknown, options?: StreamOptions) => {
      const work: Work = (resource, task) => handler(resource as never, input, task)
      return verbs.stream(to, work, options, name)
    })
  }
  return prototype
}

const checkedAfter = (after: number | undefined): number | undefined =>
  after === undefined ? undefined : wholeNumber("after", after, 0, 0)

