/** A CPU profile of the process, as developer tools open it. */
import type * as Inspector from "node:inspector"
import type { Profiler, Session } from "node:inspector"
import { checkedTime, passed } from "./forTime.ts"
import { begin } from "./oneAtATime.ts"
import { ProfileRefused } from "./ProfileRefused.ts"

export interface CpuProfileOptions {
  /** Milliseconds, 10 to 60 000. Default 10 000. A loop that does not turn makes it longer. */
  readonly forMs?: number | undefined
  /** Rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Microseconds between two samples, 100 to 100 000. Default 1 000. */
  readonly intervalUs?: number | undefined
}
export interface CpuProfile {
  /** The content of a `.cpuprofile` file. It names files and functions of the program, and has no values. */
  readonly profile: Profiler.Profile
  /** A debugger was attached. It goes on undisturbed; where it stopped the program, so did the time of this profile. */
  readonly debugger: boolean
}

/**
 * Samples what the thread runs. While it lasts, the process is some percent slower; at its end the event loop stands still
 * while the samples are put together: some tens of milliseconds for ten seconds.
 *
 * @throws ProfileRefused `Busy`, `NotAvailable`, `InvalidTime`
 */
export const cpuProfile = async (options: CpuProfileOptions = {}): Promise<CpuProfile> => {
  const forMs = checkedTime(options.forMs)
  options.signal?.throwIfAborted()
  const interval = Math.min(100_000, Math.max(100, Math.round(options.intervalUs ?? 1000)))
  using _ = begin("a CPU profile")
  const inspector = await available()
  const session = new inspector.Session()
  try {
    // Each session has a profiler of its own: a debugger's is not touched.
    session.connect()
    await asked(session, "Profiler.enable")
    await asked(session, "Profiler.setSamplingInterval", { interval })
    await asked(session, "Profiler.start")
    await passed(forMs, options.signal)
    return { profile: await stopped(session), debugger: inspector.url() !== undefined }
  } finally {
    session.disconnect()
  }
}

const available = async (): Promise<typeof Inspector> => {
  try {
    return await import("node:inspector")
  } catch (error) {
    throw new ProfileRefused("NotAvailable", "This Node was built without its inspector.", error)
  }
}
const asked = (session: Session, method: string, parameters: object = {}): Promise<void> =>
  new Promise((resolve, reject) => {
    session.post(method, parameters, (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
const stopped = (session: Session): Promise<Profiler.Profile> =>
  new Promise((resolve, reject) => {
    session.post("Profiler.stop", (error, result) => {
      if (error === null) resolve(result.profile)
      else reject(error)
    })
  })
