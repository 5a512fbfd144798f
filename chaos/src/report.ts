/** The end of a run, in words. */
import type { Violation } from "./book/types.ts"
import type { Fault } from "./faults.ts"

export interface Report {
  readonly seed: string
  readonly ranMs: number
  readonly rounds: number
  readonly tasks: number
  readonly generations: number
  /** Abandoned when their registry had drained; each has ended since. */
  readonly leaked: number
  readonly faults: ReadonlyArray<readonly [Fault, number]>
  /** What callers were told and why generations closed, and how often. */
  readonly answers: ReadonlyArray<readonly [string, number]>
  /** Bytes after each round, collected. */
  readonly heap: ReadonlyArray<number>
  readonly violations: ReadonlyArray<Violation>
  readonly trace: ReadonlyArray<string>
}

const rows = (title: string, of: ReadonlyArray<readonly [string, number]>): ReadonlyArray<string> => [
  "",
  title,
  ...of.map(([name, count]) => `${String(count).padStart(9)}  ${name}`),
]

export const reportText = (report: Report): string => {
  const { answers, faults, generations, heap, leaked, ranMs, rounds, seed, tasks, trace, violations } = report
  const [first] = violations
  const lines = [
    ...rows("Faults", faults),
    ...rows("Answers and ends", answers),
    "",
    `Heap after each round: ${heap.map((bytes) => (bytes / 1024 / 1024).toFixed(1)).join(", ")} MB`,
    `${rounds} rounds in ${(ranMs / 1000).toFixed(0)} s: ${tasks} tasks, ${generations} generations, ${leaked} leaked and ended.`,
  ]
  if (first !== undefined) {
    lines.push("", "The last lines before it:", ...trace)
    lines.push("", `VIOLATION of "${first.rule}": ${first.what}`)
    for (const other of violations.slice(1, 10)) lines.push(`  also "${other.rule}": ${other.what}`)
    if (violations.length > 10) lines.push(`  and ${violations.length - 10} more`)
  }
  lines.push(first === undefined ? `Nothing found, seed ${seed}.` : `Seed ${seed}.`)
  return lines.join("\n")
}
