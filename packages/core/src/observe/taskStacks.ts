/**
 * Where tasks were handed in. Off by default: a stack costs several times as much as a turn. It is taken as it is, written
 * out when somebody reads it, and gone with its task.
 */
import * as Context from "effect/Context"
import * as References from "effect/References"
import { invalidOption } from "../errors.ts"
import { resolveNames, wholeNumber } from "../options.ts"
import { processWide } from "../processWide.ts"
import type { Options } from "../SessionOptions.ts"

const usualLimit = 8
const mostFrames = 50
/** Ours and Effect's, which are on top of the caller's and not shown. */
const hidden = 24

interface Wanted {
  readonly limit: number
  readonly share: number
}
/** `share` 0: off. `wanted`: of all who want stacks, last one last. */
export const taskStacks: { share: number; limit: number; due: number; readonly wanted: Array<Wanted> } =
  processWide("taskStacks", () => ({ share: 0, limit: usualLimit, due: 0, wanted: [] }))

const decide = (): void => {
  const { wanted } = taskStacks
  taskStacks.share = Math.max(0, ...wanted.map(({ share }) => share))
  taskStacks.limit = Math.max(0, ...wanted.map(({ limit }) => limit))
}

/**
 * Takes the stack of each task, or of a share of them, when it is handed in, in the whole process and until the result is
 * disposed of: `LiveTask.stack`. For finding out where work comes from; each costs some 4 µs, and memory while its task lives.
 * Frames of Sojourn, Effect and Node are left out.
 *
 * `limit`: frames of each. 8; 1, at most 50. `share`: of the tasks, evenly. 1; more than 0.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const captureTaskStacks = (
  options?: Options<{ readonly limit: number; readonly share: number }>,
): Disposable => {
  resolveNames(options, ["limit", "share"])
  const limit = Math.min(mostFrames, wholeNumber("limit", options?.limit, usualLimit, 1))
  const share = options?.share ?? 1
  if (!(share > 0 && share <= 1))
    throw invalidOption(`share: a number above 0, and at most 1, is allowed, got ${String(share)}.`)
  const own: Wanted = { limit, share }
  taskStacks.wanted.push(own)
  decide()
  return {
    [Symbol.dispose]: () => {
      const at = taskStacks.wanted.indexOf(own)
      if (at !== -1) taskStacks.wanted.splice(at, 1)
      decide()
    },
  }
}

/** What holds a stack that has not been written out. */
export interface TakenStack {
  readonly stack?: unknown
  readonly limit: number
}

/** Called for every task that is handed in while `share` is not 0; `below`: the first of our frames. */
export const takeStack = (below: abstract new (...args: never) => unknown): TakenStack | undefined => {
  taskStacks.due += taskStacks.share
  if (taskStacks.due < 1) return undefined
  taskStacks.due -= 1
  const { limit } = taskStacks
  const taken: TakenStack = { limit }
  const usual = Error.stackTraceLimit
  Error.stackTraceLimit = limit + hidden
  Error.captureStackTrace?.(taken, below)
  Error.stackTraceLimit = usual
  return taken
}

// A frame names a file by its URL, or by its path. In a bundle ours are like anybody's.
const here = new URL(import.meta.url).pathname
const ours = /^(.*\/)observe\/taskStacks\.[jt]s$/.exec(here)?.[1]
const hiddenPlaces = [
  ...(ours === undefined ? [] : [ours, decodeURIComponent(ours)]),
  "/node_modules/effect/",
  "node:",
]
const isShown = (frame: string): boolean => !hiddenPlaces.some((place) => frame.includes(place))

/** `lent`: the context of a caller that is an Effect, whose frames are not those of JavaScript. */
export const framesOf = (taken: TakenStack, lent: unknown): ReadonlyArray<string> => {
  const { stack } = taken
  // Somebody else may write stacks out as something else.
  const lines = typeof stack === "string" ? stack.split("\n").slice(1).filter(isShown) : []
  return [...lines, ...effectFrames(lent)].map((line) => line.trim()).slice(0, taken.limit)
}

const effectFrames = (lent: unknown): ReadonlyArray<string> => {
  if (!Context.isContext(lent)) return []
  const frames: Array<string> = []
  let frame = Context.get(lent, References.CurrentStackFrame)
  for (; frame !== undefined && frames.length < mostFrames; frame = frame.parent) {
    const at = /\((.*)\)/.exec(frame.stack() ?? "")?.[1]
    frames.push(at === undefined ? `at ${frame.name}` : `at ${frame.name} (${at})`)
  }
  return frames
}
