/** Threads, sockets and children answer in real time: the event loop turns until they have, while virtual time stands still. */
import { setImmediate as turnOfTheLoop } from "node:timers/promises"
import type { Watched } from "../support/watch.ts"

export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await turnOfTheLoop()
}

/** How each call ended, once all have. */
export const told = async (...calls: ReadonlyArray<Watched>): Promise<ReadonlyArray<string>> => {
  await until(() => calls.every(({ outcome }) => outcome !== "pending"))
  return calls.map(({ outcome }) => outcome)
}
