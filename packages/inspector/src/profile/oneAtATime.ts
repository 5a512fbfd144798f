/**
 * One profile at a time in a process: each makes the process slower, and so would be part of what the other one measures. Two
 * copies of this package share the place.
 */
import { ProfileRefused } from "./ProfileRefused.ts"

const slot: unique symbol = Symbol.for("@sojourn/inspector/profile") as never
const shared = globalThis as unknown as { [slot]?: string | undefined }

/** What is being profiled now. */
export const profiling = (): string | undefined => shared[slot]

/** Until what this returns is disposed. @throws ProfileRefused `Busy` */
export const begin = (what: string): Disposable => {
  const busy = shared[slot]
  if (busy !== undefined)
    throw new ProfileRefused("Busy", `One profile at a time: the process is busy with ${busy}.`)
  shared[slot] = what
  let over = false
  return {
    [Symbol.dispose]: () => {
      if (!over) shared[slot] = undefined
      over = true
    },
  }
}
