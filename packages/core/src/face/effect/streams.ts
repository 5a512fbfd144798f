/** Streams of the Effect face: the same turn as on the Promise face, pulled through an async iterator. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Stream from "effect/Stream"
import { SessionMisuse } from "../../errors.ts"
import type { Call } from "../../options.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { SessionKey } from "../../SessionKey.ts"
import type { Lease } from "../../task/Leases.ts"
import { PacedStream } from "../promise/streams.ts"
import { StreamTask } from "../promise/StreamTask.ts"
import { inSession } from "./EffectTask.ts"

export type AnyStream = Stream.Stream<unknown, unknown>

/** A stream's own cause on its way through a promise: it must arrive untouched, defects as defects. */
class Carried extends Error {
  readonly of: Cause.Cause<unknown>
  constructor(of: Cause.Cause<unknown>) {
    super("The stream failed: see `cause`.", { cause: Cause.squash(of) })
    this.of = of
  }
}

class EffectStreamTask extends StreamTask {
  override readonly lent: Context.Context<never>
  constructor(
    registry: Registry,
    call: Call,
    source: () => AsyncIterable<unknown>,
    paced: PacedStream,
    lent: Context.Context<never>,
  ) {
    super(registry, call.name ?? "stream", call.whenBusy === "overlap", source, paced)
    this.lent = lent
  }
  /** Its iterator interrupts what is being asked for. */
  override get interruptible(): boolean {
    return true
  }
}

export const sessionStream = (
  registry: Registry,
  key: SessionKey,
  source: AnyStream,
  call: Call,
  caller: Context.Context<never>,
  lease?: Lease,
): AnyStream => {
  const paced = new PacedStream(registry.draining.signal)
  const carried = Stream.catchCause(source, (cause) => Stream.fail(new Carried(cause)))
  const task: StreamTask = new EffectStreamTask(
    registry,
    call,
    () => {
      const { generation } = task
      if (generation === undefined) throw new Error("A stream was begun without its generation.")
      return Stream.toAsyncIterableWith(carried, inSession(caller, generation, task))
    },
    paced,
    caller,
  )
  paced.id = task.id
  paced.want = () => task.want()
  paced.leave = () => {
    registry.stops.stopForCaller(task, "Cancelled")
    registry.steps.commit()
  }
  registry.handIn.take(task, key, call, lease)
  return Stream.fromAsyncIterable(paced, (error) => error).pipe(
    Stream.catch((error) => {
      if (error instanceof Carried) return Stream.failCause(error.of)
      return error instanceof SessionMisuse ? Stream.die(error) : Stream.fail(error)
    }),
  )
}
