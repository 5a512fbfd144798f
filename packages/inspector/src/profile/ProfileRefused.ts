/**
 * `Busy`: the process is being profiled already. `NotAvailable`: this build of Node cannot do it. `LowMemory`: it would need
 * more memory than there is, and might end the process. `InvalidTime`: `forMs` is no time that is allowed.
 */
export type ProfileRefusedReason = "Busy" | "NotAvailable" | "LowMemory" | "InvalidTime"

/** A profile that was not begun. */
export class ProfileRefused extends Error {
  readonly _tag = "ProfileRefused"
  readonly reason: ProfileRefusedReason
  constructor(reason: ProfileRefusedReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = "ProfileRefused"
    this.reason = reason
  }
}
