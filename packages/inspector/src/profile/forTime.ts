import { ProfileRefused } from "./ProfileRefused.ts"

const usual = 10_000
const least = 10
const most = 60_000

/** Milliseconds. @throws ProfileRefused `InvalidTime` */
export const checkedTime = (forMs: number | undefined): number => {
  if (forMs === undefined) return usual
  if (typeof forMs === "number" && forMs >= least && forMs <= most) return forMs
  throw new ProfileRefused(
    "InvalidTime",
    `\`forMs\` is from ${least} to ${most} milliseconds, got ${String(forMs)}.`,
  )
}

/** Resolves after that time, which never keeps a process alive; rejects with the signal's reason when that comes first. */
export const passed = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = (settle: () => void) => (): void => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", stop)
      settle()
    }
    const stop = end(() => reject(signal?.reason as Error))
    const timer = setTimeout(
      end(() => resolve()),
      ms,
    )
    if (signal?.aborted === true) stop()
    else signal?.addEventListener("abort", stop)
  })
