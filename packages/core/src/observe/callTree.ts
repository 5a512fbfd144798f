/** The calls under way that belong together: a task, what it has called, what that has called, in whatever registry. */
import { resolveNames, wholeNumber } from "../options.ts"
import type { Options } from "../SessionOptions.ts"
import type { LiveTask } from "./Live.ts"

export interface CallTree {
  readonly task: LiveTask
  readonly calls: ReadonlyArray<CallTree>
  /** Calls of this one that are left out, for there are too many. */
  readonly more: number
}

interface Growing extends CallTree {
  readonly calls: Array<Growing>
  more: number
}

const usualLimit = 100
const mostTasks = 10_000

/**
 * The whole tree that a task is part of, from the outermost caller down, nearest calls first.
 *
 * `limit`: tasks in it, at most. 100; 1, at most 10 000.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const callTreeOf = (task: LiveTask, options?: Options<{ readonly limit: number }>): CallTree => {
  resolveNames(options, ["limit"])
  const limit = Math.min(mostTasks, wholeNumber("limit", options?.limit, usualLimit, 1))
  let outermost = task
  for (let depth = 0; depth < mostTasks && outermost.caller !== undefined; depth++)
    outermost = outermost.caller
  const root: Growing = { task: outermost, calls: [], more: 0 }
  // Level by level: what is left out is what is furthest from the outermost caller.
  const grown = [root]
  for (const node of grown)
    for (const call of node.task.calls()) {
      if (grown.length >= limit) node.more++
      else {
        const child: Growing = { task: call, calls: [], more: 0 }
        node.calls.push(child)
        grown.push(child)
      }
    }
  return root
}
