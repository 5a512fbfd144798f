/** Waiting, with or without an ear for a signal. */
import { setTimeout as sleep } from "node:timers/promises"

export const pause = (ms: number): Promise<void> => sleep(ms)

/** A wait that keeps nothing alive: it is no handle of its own, neither while it lasts nor just after. */
export const pauseUnheld = async (ms: number): Promise<void> => {
  await sleep(ms, undefined, { ref: false })
  await new Promise((resolve) => setImmediate(resolve))
}

/** Rejects with the signal's reason as soon as it aborts. */
export const pauseHeeding = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop)
      resolve()
    }, ms)
    signal.addEventListener("abort", stop, { once: true })
  })

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener("abort", () => resolve(), { once: true })
  })

/** Resolves to whether it came true in time. */
export const untilTrue = async (holds: () => boolean, ms: number): Promise<boolean> => {
  const end = performance.now() + ms
  while (!holds()) {
    if (performance.now() > end) return false
    await pause(10)
  }
  return true
}
