/** A registry as users of the Promise face see it. */
import { atNames, checkedName, milliseconds, resolveCall, resolveNames, type Call } from "../../options.ts"
import type { Registry } from "../../registry/Registry.ts"
import { resolveKey, type SessionKey } from "../../SessionKey.ts"
import type {
  AtOptions,
  Handlers,
  LeaseOptions,
  RunOptions,
  StreamHandlers,
  StreamOptions,
} from "../../SessionOptions.ts"
import type { Calls, Lease as UserLease, Session, Sessions } from "../../Sessions.ts"
import type { Lease } from "../../task/Leases.ts"
import type { Control } from "../control.ts"
import { makeCalls } from "./calls.ts"
import { LeaseTask } from "./LeaseTask.ts"
import type { Work } from "./PromiseTask.ts"
import { LeaseHandle, SessionHandle, type Desk } from "./SessionHandle.ts"
import { checkedAfter, nameOf, runNow, Verbs, type Target } from "./verbs.ts"

interface Definition {
  readonly call: Call
  readonly handlers: Handlers<never>
  readonly streams: StreamHandlers<never>
}

export const sessionsOver = <R, H, S>(
  registry: Registry,
  control: Control,
  definition: Definition,
): Sessions<R, H, S> => {
  const verbs = new Verbs(registry)
  const desk: Desk = { verbs, control, calls: makeCalls(definition.handlers, definition.streams, verbs) }
  const to = (key: SessionKey, lease?: Lease): Target => ({
    key,
    lease,
    call: definition.call,
    after: undefined,
    stream: undefined,
  })

  const at = (key: SessionKey, defaults?: AtOptions): Session<R, H, S> => {
    const target: Target = {
      key: resolveKey(key),
      lease: undefined,
      call: resolveCall(definition.call, defaults, atNames),
      after: checkedAfter(defaults?.after),
      stream: defaults?.stream === undefined ? undefined : checkedName("stream", defaults.stream),
    }
    return new SessionHandle(desk, key, target) as unknown as Session<R, H, S>
  }
  const lease = async (key: SessionKey, options?: LeaseOptions): Promise<UserLease<Session<R, H, S>>> => {
    resolveNames(options, ["name", "signal", "silence", "mustExist"])
    const call = resolveCall(definition.call, options)
    const silence = milliseconds("silence", options?.silence, registry.policy.timeouts.lease, 1)
    const held = await new Promise<Lease>((resolve, reject) => {
      registry.handIn.take(new LeaseTask(registry, call.name ?? "lease", resolve, reject), key, {
        ...call,
        silence,
      })
    })
    return new LeaseHandle(desk, key, to(key, held), held) as unknown as UserLease<Session<R, H, S>>
  }
  return {
    ...control,
    run: ((key: SessionKey, work: Work, options?: RunOptions) =>
      options === undefined
        ? runNow(registry, key, work, definition.call, nameOf(work) || "run", undefined)
        : verbs.run(to(key), work, options, nameOf(work))) as Sessions<R>["run"],
    stream: ((key: SessionKey, work: Work, options?: StreamOptions) =>
      verbs.stream(to(key), work, options, nameOf(work))) as Sessions<R>["stream"],
    resume: (key, options) => verbs.resume(to(key), options),
    call: (key) => desk.calls(to(key)) as Calls<H, S>,
    lease,
    at,
  }
}
