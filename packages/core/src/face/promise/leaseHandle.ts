/** A lease as users hold it: the session's own handle, bound to one generation, with a beginning and an end. */
import { captureCarrier, currentFrame, runFramed } from "../../context.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { Lease as UserLease, Session } from "../../Sessions.ts"
import type { Lease } from "../../task/Leases.ts"

export const leaseHandle = <R, H, S>(
  registry: Registry,
  lease: Lease,
  handle: Session<R, H, S>,
): UserLease<Session<R, H, S>> => {
  const controller = new AbortController()
  // In its holder's context, whoever ends it.
  const carrier = captureCarrier()
  const frame = currentFrame()
  const over = (): void => runFramed(carrier, frame, abort, controller, registry.leases.ended(lease))
  if (lease.told) over()
  else (lease.onEnd ??= []).push(over)
  const release = async (): Promise<void> => registry.leases.end(lease, "released")
  return {
    ...handle,
    session: lease.generation.ref,
    signal: controller.signal,
    progress: () => {
      if (lease.ended === undefined) registry.leases.progress(lease)
    },
    release,
    [Symbol.asyncDispose]: release,
  }
}

const abort = (controller: AbortController, reason: unknown): void => controller.abort(reason)
