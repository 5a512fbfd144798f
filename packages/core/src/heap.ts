/**
 * How full the heap of this thread is: the old generation, garbage included, as a share of what V8 lets it have. 0 where that
 * cannot be seen.
 */
const inNode = typeof process === "object" && typeof process.getBuiltinModule === "function"
const v8 = inNode ? process.getBuiltinModule("node:v8") : undefined

const mebibyte = 2 ** 20
/** Node's own default for the young generation, in MiB: three semi-spaces of 64. */
const usualYoung = 3 * 64

/** A number given by `--name=n`, on the command line or in NODE_OPTIONS. */
const flag = (name: string): number | undefined => {
  // The command line comes after the variable, and the last one counts.
  const given = [...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/), ...process.execArgv]
  const pattern = new RegExp(`^--${name.replaceAll("-", "[-_]")}=(\\d+)$`)
  const last = given.flatMap((argument) => pattern.exec(argument)?.[1] ?? []).at(-1)
  return last === undefined ? undefined : Number(last)
}

/** Bytes. V8 tells the limit of both generations together; what a process dies of is the old one's. */
const oldLimit = (): number => {
  const threads = process.getBuiltinModule("node:worker_threads")
  const ofWorker = threads.isMainThread ? undefined : threads.resourceLimits.maxOldGenerationSizeMb
  const given = ofWorker ?? flag("max-old-space-size")
  const both = v8?.getHeapStatistics().heap_size_limit ?? Infinity
  if (given !== undefined && given > 0) return Math.min(both, given * mebibyte)
  const semiSpace = flag("max-semi-space-size")
  const young = semiSpace === undefined ? usualYoung : 3 * semiSpace
  return Math.max(both / 2, both - young * mebibyte)
}
let limit: number | undefined

export const heapShare = (): number => {
  if (v8 === undefined) return 0
  limit ??= oldLimit()
  let used = 0
  for (const space of v8.getHeapSpaceStatistics())
    if (!space.space_name.startsWith("new_")) used += space.space_used_size
  return used / limit
}
