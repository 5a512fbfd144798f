import { recordingBounds } from "./format.ts"

/** Names of series and of numbers that a warning rests on; it also keeps `__proto__` out of what is read. */
export const isPlainName = (name: string): boolean =>
  name.length <= recordingBounds.seriesName && /^[A-Za-z0-9.-]+$/.test(name)
