/** A watch of one's own in the virtual time of the worlds it watches, over readings that the test gives. */
import { liveRegistries } from "../../src/inspect.ts"
import type { AnySessions } from "../../src/Sessions.ts"
import { timeSource } from "../../src/time/TimeSource.ts"
import type { ActiveWarning } from "../../src/warnings/ActiveWarning.ts"
import type { WarningName } from "../../src/warnings/catalogue.ts"
import type { ProcessReading, ProcessSource } from "../../src/warnings/processReadings.ts"
import type { Watch } from "../../src/warnings/Watch.ts"
import {
  makeWatch,
  watchWith,
  type WarningWatch,
  type WatchWarningsOptions,
} from "../../src/warnings/watchWarnings.ts"
import type { VirtualClock } from "../support/VirtualClock.ts"

export const calmProcess: ProcessReading = {
  stall: 0,
  median: 0,
  utilization: 0.1,
  heapUsed: 0.1,
  resources: 5,
}

/** What the process would say, until it is changed. */
export class FakeProcess implements ProcessSource {
  reading: ProcessReading = calmProcess
  reads = 0
  disposed = 0
  readonly read = (): ProcessReading => {
    this.reads++
    return this.reading
  };
  [Symbol.dispose](): void {
    this.disposed++
  }
}

interface Watched {
  readonly clock: VirtualClock
  readonly sessions: { readonly name: string }
}
export interface Watching extends Disposable {
  readonly watch: Watch
  readonly warnings: WarningWatch
  readonly process: FakeProcess
  /** What is raised, in words: `pending-high`; twice: `pending-high x2`. */
  readonly raised: () => ReadonlyArray<string>
  readonly one: (name: WarningName) => ActiveWarning | undefined
  /** Seconds until it is raised, or cleared, at most `most`; undefined: it did not come. */
  readonly until: (name: WarningName, raised: boolean, most?: number) => Promise<number | undefined>
}

/** A world's `sessions` may be a copy with a face of its own. */
export const registryOf = ({ sessions }: Pick<Watched, "sessions">): AnySessions => {
  const found = liveRegistries().find(({ name }) => name === sessions.name)
  if (found === undefined) throw new Error("no registry of that name is live")
  return found
}

/** Nothing is logged unless asked for. */
export const watching = (w: Watched, options: WatchWarningsOptions = {}): Watching => {
  const process = new FakeProcess()
  const watch = makeWatch({ time: timeSource(w.clock), process: () => process })
  const warnings = watchWith(watch, { sessions: [registryOf(w)], log: false, ...options })
  const one = (name: WarningName): ActiveWarning | undefined =>
    warnings.active().find((warning) => warning.name === name)
  return {
    watch,
    warnings,
    process,
    one,
    raised: () =>
      [...Map.groupBy(warnings.active(), ({ name }) => name)].map(([name, all]) =>
        all.length === 1 ? name : `${name} x${all.length}`,
      ),
    until: async (name, raised, most = 120) => {
      for (let second = 1; second <= most; second++) {
        await w.clock.advance(1000)
        if ((one(name) !== undefined) === raised) return second
      }
      return undefined
    },
    [Symbol.dispose]: () => warnings[Symbol.dispose](),
  }
}
