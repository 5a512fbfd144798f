/**
 * Watching closely, for as long as somebody looks: when the code of a task of promises goes on is not told by anything cheap
 * enough to be always on. Meanwhile Node tells of each callback and each awaited promise that goes on, and in whose async
 * context: some 80 ns each, in the whole process. Off, it costs nothing.
 */
import type { AsyncHook } from "node:async_hooks"
import { currentFrame, runClean } from "../context.ts"
import { milliseconds, resolveNames } from "../options.ts"
import type { Options, Time } from "../SessionOptions.ts"
import type { Task } from "../task/Task.ts"
import { Activity } from "./Activity.ts"

const usualTime = 10_000
const longestTime = 60_000

/** `round`: which time it is that somebody looks; what was seen another time is over. */
export const closeWatch: { on: boolean; round: number } = { on: false, round: 0 }

/** What Node told of one run. */
export class Continuations extends Activity {
  readonly round: number = closeWatch.round
}

/** Of a task that nothing else is known of, from the first look on, while somebody looks. */
const continuationsOf = (task: Task): Continuations | undefined => {
  if (!closeWatch.on || task.activity !== undefined || task.frame === undefined) return undefined
  const known = task.extras?.continuations
  if (known?.round === closeWatch.round) return known
  return (task.more.continuations = new Continuations(task.registry.time.now(), task.registry.loopTime))
}

/** What is known now of when a task's code runs. */
export const activityOf = (task: Task): Activity | undefined => task.activity ?? continuationsOf(task)

const before = (): void => {
  try {
    const task = currentFrame()?.task
    if (task !== undefined) continuationsOf(task)?.ran(task.registry.loopTime)
  } catch {
    // What a hook of Node's throws ends the process. Whoever looks sees less.
  }
}

const hooks =
  typeof process === "object" && typeof process.getBuiltinModule === "function"
    ? process.getBuiltinModule("node:async_hooks")
    : undefined
let hook: AsyncHook | undefined
const lookers = new Set<object>()

/**
 * Watches what all tasks of the process do, for who looks at one now: then `LiveTask.resumedAt` and `isSuspended` are also
 * known of tasks of promises, from here on. Ends by itself; several lookers share it. Every callback and awaited promise of
 * the process is some 80 ns slower meanwhile, so never leave it on. Without Node's `async_hooks` it does nothing.
 *
 * `for`: how long. 10 seconds; at most one minute.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const watchTasksClosely = (options?: Options<{ readonly for: Time }>): Disposable => {
  resolveNames(options, ["for"])
  const time = Math.min(longestTime, milliseconds("for", options?.for, usualTime, 1))
  const looker = {}
  const end = (): void => {
    clearTimeout(timer)
    if (!lookers.delete(looker) || lookers.size > 0) return
    closeWatch.on = false
    hook?.disable()
  }
  if (lookers.size === 0) {
    closeWatch.on = true
    closeWatch.round++
    hook ??= hooks?.createHook({ before })
    hook?.enable()
  }
  lookers.add(looker)
  const timer = runClean(() => setTimeout(end, time))
  if (typeof timer === "object") timer.unref()
  return { [Symbol.dispose]: end }
}
