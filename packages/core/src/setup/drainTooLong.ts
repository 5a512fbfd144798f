/** Can a drain take longer than the platform waits? Pure: all times are milliseconds. */
import { inSeconds } from "./inSeconds.ts"
import { graceVariable, type PlatformGrace } from "./platformGrace.ts"

export interface Draining {
  /** The registry's name. */
  readonly name: string
  /** How long running turns may still go on. */
  readonly finishWithin: number
  /** What may come after that: `grace` and `close` of the registry. */
  readonly closeWithin: number
}

/** What to say if it can; undefined if it ends in time. */
export const drainTooLong = (
  { name, finishWithin, closeWithin }: Draining,
  { platform, ms }: PlatformGrace,
): string | undefined => {
  const whole = finishWithin + closeWithin
  if (whole <= ms) return undefined
  const parts = `${inSeconds(finishWithin)} of finishWithin, ${inSeconds(closeWithin)} of grace and close`
  const whose = platform === graceVariable ? `${platform} is` : `${platform} waits, unless told otherwise,`
  return `A drain of ${JSON.stringify(name)} may take ${inSeconds(whole)} (${parts}). ${whose} ${inSeconds(ms)}.`
}
