import { milliseconds } from "../options.ts"
import type { Time } from "../SessionOptions.ts"
import { heldAfter, Holder } from "./handles.ts"

/** See {@link ledger}. */
export interface Ledger extends Disposable {
  /** Runs `work`; what it and everything it starts makes is noted. */
  readonly run: <A>(work: () => A) => A
  /**
   * What is still there, a line for each place it was made at: "a timer made at /app/poll.ts:12:20". `within`: how long, in
   * real time, to wait for what is on its way out; 1 second, and longer while some of it goes.
   */
  readonly held: (within?: Time) => Promise<ReadonlyArray<string>>
}

// Real milliseconds.
const lingers = 1000

/**
 * Notes what Node holds for a piece of code: timers, sockets, servers, pipes, child processes, worker threads, file watchers,
 * signal listeners and opened `FileHandle`s. It does not see memory, plain file descriptors, or what other code makes on its
 * behalf; what Node shares in the whole process (standard output, the connections of `fetch` and of `http.get`) is left out.
 */
export const ledger = (): Ledger => {
  const holder = new Holder("the ledger")
  return {
    run: (work) => holder.run(work),
    held: async (within) =>
      (await heldAfter(milliseconds("within", within, lingers), [holder])).map(
        ({ place, what }) => `${what} made at ${place}`,
      ),
    [Symbol.dispose]: () => holder.close(),
  }
}
