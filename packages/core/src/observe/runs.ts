/** Whose code runs, for who attributes the event loop's time. */
import { currentFrame, entries } from "../context.ts"

/** A run of somebody's code: of a turn, an open, a probe or a finalizer. It is the same object each time it is seen. */
export interface Run {
  readonly kind: "turn" | "open" | "probe" | "finalizer"
  /** Undefined once it is over. `key`: the canonical one. */
  readonly session: { readonly key: string; readonly registry: { readonly name: string } } | undefined
  /** Of a turn, a stream or work in the background. Undefined once it is over. */
  readonly task: { readonly id: string; readonly name: string } | undefined
  /** Of an open that is over: the registry and the canonical key of the session whose resource it made. */
  readonly made: { readonly name: string; readonly key: string } | undefined
}

/** That of which the code that asks is part, by its async context. */
export const currentRun: () => Run | undefined = currentFrame

/**
 * Calls `entered` whenever code begins to run as part of a run, or of none, inside the scope of an `AsyncResource` of ours: what
 * Node's `async_hooks` tell just before is that scope, not the run. It is on the way of every turn, must not throw, and there
 * is one at a time: a later one takes its place. The result ends it.
 */
export const watchRuns = (entered: (run: Run | undefined) => void): (() => void) => {
  const own = (run: Run | undefined): void => entered(run)
  entries.told = own
  return () => {
    if (entries.told === own) entries.told = undefined
  }
}
