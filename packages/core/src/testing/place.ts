/** Where users' code made something: the first line of the stack that is neither ours nor Node's nor a dependency's. */
import { join, sep } from "node:path"
import { pathToFileURL } from "node:url"

const root = join(import.meta.dirname, "..", "..")
/** Built or not: with source maps the frames of what was built name the sources. */
const ours = ["src", "dist"].flatMap((folder) => {
  const path = join(root, folder)
  return [path + sep, `${pathToFileURL(path).href}/`]
})
// Deep enough to get through a driver's own layers to the line that called it.
const depth = 50

/** Its text is made when it is looked at, which is what costs. */
export interface Stack {
  readonly stack?: string
}
export const stackHere = (): Stack => {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = depth
  const stack = new Error("here")
  Error.stackTraceLimit = before
  return stack
}
const read = new WeakMap<Stack, ReadonlyArray<string>>()
/** `file:line:column` of each frame, innermost first. */
export const framesOf = (of: Stack): ReadonlyArray<string> => {
  const known = read.get(of)
  if (known !== undefined) return known
  const frames = (of.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) =>
      (/\(([^()]+)\)$/.exec(line)?.[1] ?? line.trim().slice("at ".length)).replace(/^async /, ""),
    )
  read.set(of, frames)
  return frames
}

export const isOurs = (frame: string): boolean => ours.some((folder) => frame.startsWith(folder))
const isNodes = (frame: string): boolean => !/[/\\]/.test(frame) || frame.startsWith("node:")
const isDependency = (frame: string): boolean => /[/\\]node_modules[/\\]/.test(frame)

/** The first frame of users' code, else of a dependency; without `file://`. */
export const placeOf = (frames: ReadonlyArray<string>): string => {
  const others = frames.filter((frame) => !isOurs(frame) && !isNodes(frame))
  const frame = others.find((other) => !isDependency(other)) ?? others[0]
  return frame === undefined ? "a place unknown" : frame.replace(/^file:\/\//, "")
}
export const placeHere = (): string => placeOf(framesOf(stackHere()))

/** Whether the code that called the caller of this is users' own, and no dependency's. */
export const isCalledByUser = (): boolean => {
  const caller = framesOf(stackHere()).find((frame) => !isOurs(frame))
  return caller !== undefined && !isNodes(caller) && !isDependency(caller)
}
