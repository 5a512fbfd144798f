/** The timers of this process as they were when this module loaded: a test may replace the global ones later. */
const { clearTimeout, setImmediate, setTimeout } = globalThis

/** Real milliseconds. */
export const realNow: () => number = performance.now.bind(performance)
export const realPause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

/** Microtasks, immediates, and what they start. */
export const settle = async (): Promise<void> => {
  for (let round = 0; round < 4; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** Whether `promise` is settled within `ms` real milliseconds. */
export const settlesWithin = (ms: number, promise: Promise<unknown>): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    const settled = (): void => {
      clearTimeout(timer)
      resolve(true)
    }
    promise.then(settled, settled)
  })
