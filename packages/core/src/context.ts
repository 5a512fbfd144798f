/**
 * Async context: one AsyncLocalStorage for the whole package, which carries the chain of turns a call is made from (L7),
 * and one clean context, made when this module loads, in which opens, finalizers, listeners and our timers run (L19).
 *
 * Load this module at the top of your program: first loaded by a dynamic `import()` inside a request, it would take that
 * request's context for the clean one. Where there is no AsyncLocalStorage (browsers) re-entrancy is not detected, and
 * the deadlines end what would wait for itself.
 */
import type { AsyncLocalStorage, AsyncResource } from "node:async_hooks"
import type { Frame } from "./task/Frame.ts"

/** Holds the async context of a call that has to wait, until its turn comes. */
export type Carrier = AsyncResource

const hooks =
  typeof process === "object" && typeof process.getBuiltinModule === "function"
    ? process.getBuiltinModule("node:async_hooks")
    : undefined

const storage: AsyncLocalStorage<Frame> | undefined = hooks && new hooks.AsyncLocalStorage<Frame>()
const clean: Carrier | undefined = hooks && new hooks.AsyncResource("SojournClean")

/** The innermost turn, open or finalizer this code runs in. */
export const currentFrame: () => Frame | undefined = storage
  ? storage.getStore.bind(storage)
  : () => undefined

// `enterWith` inside the scope of a fresh resource costs half of `run`, and the scope's end restores the caller's frame.
const Resource = hooks?.AsyncResource
export const captureCarrier: () => Carrier | undefined =
  Resource === undefined ? () => undefined : () => new Resource("SojournTurn")

/** Whoever sees whose code runs is told of each frame that code begins to run in: Node's own hooks do not tell of that. */
export const entries: { told: ((frame: Frame | undefined) => void) | undefined } = { told: undefined }

const enter = <A, B, C>(frame: Frame | undefined, work: (a: A, b: B) => C, a: A, b: B): C => {
  storage?.enterWith(frame as Frame)
  if (entries.told !== undefined) entries.told(frame)
  return work(a, b)
}

/** Runs `work(a, b)` in the captured context, as part of `frame`. */
export const runFramed = <A, B, C>(
  carrier: Carrier | undefined,
  frame: Frame | undefined,
  work: (a: A, b: B) => C,
  a: A,
  b: B,
): C =>
  carrier === undefined
    ? work(a, b)
    : (carrier.runInAsyncScope(enter as never, undefined, frame, work, a, b) as C)

/** Runs `work` in the clean context, as part of `frame` where given: with the frame's span in it, if it has one. */
export const runClean = <A>(work: () => A, frame?: Frame): A =>
  runFramed(frame?.trace?.carrier ?? clean, frame, work, undefined, undefined)
